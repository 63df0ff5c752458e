-- Raises what a call holds in all scopes, or changes nothing.
-- KEYS: the call's record, its scopes. Numbers: total (2), count of scopes, each one's budgets.
-- Answers: 1 raised, 0 denied, -1 scopes that are to be filled, -3 the call holds nothing here;
-- then the latest time seen, and spent and held of each budget (-1: its window is gone).
local total, count = {take(), take()}, take()
local record = load_packed(KEYS[1])
if not record or record[1] ~= 'r' then return packed({-3}) end
local second = floor(record[2] / 1000000)
local scopes, unknown = load_all(2, count)
if unknown then return unknown end
local seen = now
for s = 1, count do seen = max(seen, scopes[s].a[latest]) end
local answer = {1, seen}
if not less(record[3], record[4], total[1], total[2]) then return packed({1, seen}) end
local more = {minus(total[1], total[2], record[3], record[4])}
for s = 1, count do
  for b = 1, take() do
    local rule = take_budget()
    local usd, nano, held_usd, held_nano = money_in(scopes[s], rule, second)
    if not usd then usd, nano, held_usd, held_nano = -1, 0, 0, 0 end
    for _, each in ipairs({usd, nano, held_usd, held_nano}) do answer[#answer + 1] = each end
    if A[rule + enforce_of] == 1 and A[rule + estimate_of] ~= 1 and usd >= 0 then
      local free_usd, free_nano = minus(A[rule + usd_of], A[rule + nano_of], usd, nano)
      local left_usd, left_nano = minus(free_usd, free_nano, held_usd, held_nano)
      if less(left_usd, left_nano, more[1], more[2]) then answer[1] = 0 end
    end
  end
end
if answer[1] == 0 then return packed(answer) end
for s = 1, count do
  hold(scopes[s], second, 1, {more[1], more[2], 0, 0})
  save(scopes[s])
end
record[3], record[4] = total[1], total[2]
call('SET', KEYS[1], cmsgpack.pack(record))
return packed(answer)
