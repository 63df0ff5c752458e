-- Raises what a call holds in all scopes, or changes nothing.
-- KEYS: the call's record, its scopes. Numbers: total (2); 1 where that was granted already and was
-- lost: whatever stands against it; count of scopes, each one's budgets.
-- Answers: 1 raised, 0 denied, -1 scopes that are to be filled, -3 the call holds nothing here;
-- then the latest time seen, and spent and held of each budget (-1: its window is gone).
local total, again, count = {take(), take()}, take() == 1, take()
local record = call('GET', KEYS[1])
if not record or sub(record, 1, 1) ~= 'r' then return packed({-3}) end
local _, admitted, held_usd, held_nano = unpacked('<c1ddd', record)
local second = floor(admitted / 1000000)
local scopes, unknown = load_all(2, count)
if unknown then return unknown end
local seen = now
for s = 1, count do seen = max(seen, scopes[s][latest]) end
local answer = {1, seen}
if not less(held_usd, held_nano, total[1], total[2]) then return packed({1, seen}) end
local more_usd, more_nano = minus(total[1], total[2], held_usd, held_nano)
for s = 1, count do
  for _ = 1, take() do
    local rule = take_budget()
    local usd, nano, h_usd, h_nano = money_in(scopes[s], rule, second)
    if not usd then usd, nano, h_usd, h_nano = -1, 0, 0, 0 end
    for _, each in ipairs({usd, nano, h_usd, h_nano}) do answer[#answer + 1] = each end
    if A[rule + enforce_of] == 1 and A[rule + estimate_of] ~= 1 and usd >= 0 then
      local free_usd, free_nano = minus(A[rule + usd_of], A[rule + nano_of], usd, nano)
      local left_usd, left_nano = minus(free_usd, free_nano, h_usd, h_nano)
      if less(left_usd, left_nano, more_usd, more_nano) then answer[1] = 0 end
    end
  end
end
if answer[1] == 0 and not again then return packed(answer) end
for s = 1, count do
  change(scopes[s], second, held, more_usd, more_nano)
  save(scopes[s])
end
call('SET', KEYS[1], sub(record, 1, 9) .. pack('<dd', total[1], total[2]) .. sub(record, 26))
return packed(answer)
