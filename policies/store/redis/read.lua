-- What scopes have used, spent and hold. Nothing is changed, but that buckets drained until now.
-- KEYS: the scopes; then of the user: the bucket, the one of nobody.
-- Numbers: count of scopes; which of them has limits by user (0: none); each scope's limits and
-- budgets; the limits by user.
-- Answers: 1, or -1 scopes that are to be filled; then now; of each scope the latest time seen,
-- requests, tokens, running, and of each budget spent and held; then the user's buckets.
local count, user_scope = take(), take()
local scopes, unknown = load_all(1, count)
if unknown then return unknown end
local answer = {1, now}
local function note(t, rule)
  drain_both(t, rule)
  answer[#answer + 1], answer[#answer + 2], answer[#answer + 3] = t[3], t[5], t[running_now]
end
for s = 1, count do
  local scope = scopes[s]
  roll(scope, now)
  answer[#answer + 1] = scope[latest]
  note(scope, take_limits())
  for b = 1, take() do
    local money = {money_in(scope, take_budget(), floor(scope[latest] / 1000000))}
    for m = 1, 4 do answer[#answer + 1] = money[m] end
  end
  save(scope)
end
if user_scope > 0 then
  local key, rule = KEYS[1 + count], take_limits()
  local user = load_user(key)
  note(user or {0, 0, 0, 0, 0, 0, 0}, rule)
  if user then save_user(key, nil, user, rule) end
end
return packed(answer)
