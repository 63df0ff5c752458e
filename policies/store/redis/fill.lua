-- A scope's balance is made, or gets what one more ledger knows of it; once for each ledger.
-- KEYS: the scope; the marker that says that there are data here, and since when; names that the
-- scope had before: the first that has a balance hands it over.
-- Numbers: when the ledger was read; until when ended calls are surely in that reading; count of
-- amounts, each: second, usd, nano; its budgets, whose steps are passed already.
-- Answers 1; 0: it was filled; 2: what was here is lost, and the ledger was read before that.
local read_at, known_until = take(), take()
local marked, leeway = call('GET', KEYS[2]), 5000000
if marked and read_at + leeway < tonumber(marked) then return packed({2, now}) end
if not marked and now - read_at > leeway then return packed({2, now}) end
if not marked then call('SET', KEYS[2], string.format('%.0f', read_at)) end
for k = 3, #KEYS do
  if call('EXISTS', KEYS[1]) == 0 and call('EXISTS', KEYS[k]) == 1 then
    call('RENAME', KEYS[k], KEYS[1])
  end
end
if load(KEYS[1]) then return packed({0, now}) end
local scope = load(KEYS[1], true)
if not scope then
  scope = {key = KEYS[1], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ''}
end
scope[books] = scope[books] .. own_books
roll(scope, now)
for _ = 1, take() do
  local second, usd, nano = take(), take(), take()
  spend(scope, second, usd, nano)
end
for _ = 1, take() do
  local rule = take_budget()
  local usd, nano, _, _, _, told, is_before =
      money_in(scope, rule, floor(scope[latest] / 1000000))
  tell_steps(scope, rule, usd, nano, told, is_before)
end
save(scope)
call('HSET', KEYS[1], 'f' .. ARGV[3], string.format('%.0f', known_until))
return packed({1, now})
