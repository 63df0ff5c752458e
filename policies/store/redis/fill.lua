-- A scope's balance is made, or gets what one more ledger knows of it; once for each ledger.
-- KEYS: the scope; then names that it had before: the first that has a balance hands it over.
-- Numbers: count of amounts, each: second, usd, nano; its budgets, whose steps are passed already.
-- Answers 1, or 0: it was filled.
for k = 2, #KEYS do
  if call('EXISTS', KEYS[1]) == 0 and call('EXISTS', KEYS[k]) == 1 then
    call('RENAME', KEYS[k], KEYS[1])
  end
end
if load(KEYS[1]) then return packed({0, now}) end
local raw = call('HGET', KEYS[1], 's')
local scope = {key = KEYS[1], a = raw and cmsgpack.unpack(raw) or fresh()}
scope.a[books] = scope.a[books] .. ARGV[3] .. ','
roll(scope, now)
for _ = 1, take() do
  local second, usd, nano = take(), take(), take()
  spend(scope, second, usd, nano)
end
for _ = 1, take() do
  local rule = take_budget()
  local money, t, i = money_in(scope, rule, floor(scope.a[latest] / 1000000))
  for _, step in ipairs(rule.steps) do
    if not less(money[1], money[2], step[2], step[3]) then t[i + 7] = max(t[i + 7], step[1]) end
  end
end
save(scope)
return packed({1, now})
