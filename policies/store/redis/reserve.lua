-- All scopes admit the call and are charged, or none is.
-- KEYS: the call's record, leases, its scopes; then of its user: the bucket, the one of nobody,
-- the list of users.
-- Numbers: 1 where the call runs already and its reserve was lost: it is charged again, whatever
-- stands against it; lease, users at most; bound, estimate, floor (2 each), tokens; count of
-- scopes; which of them has limits by user (0: none) and whether the call names one; each scope's
-- limits and budgets; the limits by user.
-- Answers: 1 admitted, 0 denied, -1 scopes that are to be filled (their places), -2 given back
-- before it came; then now, admitted at, held (2); requests, tokens, running of each scope and of
-- the user behind the last; spent and held of each budget.
local again, lease, users_max = take() == 1, take(), take()
local bound = {take(), take()}
local estimate = {take(), take()}
local least = {take(), take()}
local tokens, count, user_scope, named = take(), take(), take(), take() == 1

if call('EXISTS', KEYS[1]) == 1 then return packed({-2}) end
local scopes, unknown = load_all(3, count)
if unknown then return unknown end
local admitted, back = now, false
for s = 1, count do admitted = max(admitted, scopes[s].a[latest]) end
local second = floor(admitted / 1000000)

local places, budgets = {}, {}
for s = 1, count do
  local scope = scopes[s]
  places[s] = {scope.a, buckets, take_limits()}
  roll(scope, admitted)
  for b = 1, take() do
    local rule = take_budget()
    budgets[#budgets + 1] = {rule, money_in(scope, rule, second)}
  end
end

local user, user_key, user_list
if user_scope > 0 then
  user_key = KEYS[3 + count]
  user = load_packed(user_key)
  if named then
    user_list = KEYS[5 + count]
    if not user then
      call('ZREMRANGEBYSCORE', user_list, '-inf', now)
      if call('ZCARD', user_list) >= users_max then
        user_key, user_list = KEYS[4 + count], nil
        user = load_packed(user_key)
      end
    end
  end
  user = user or {0, 0, 0, 0, 0}
  places[count + 1] = {user, 0, take_limits()}
end

local denied = false
local answer = {1, now, admitted, 0, 0}
for p = 1, #places do
  local t, o, rule = places[p][1], places[p][2], places[p][3]
  if now < t[o + 2] or now < t[o + 4] then back = true end
  drain_both(t, o, rule)
  local full = (rule[1] > 0 and not fits(t[o + 1], rule[1], rule[3], 1))
      or (rule[2] > 0 and not fits(t[o + 3], rule[2], rule[3], tokens))
      or (rule[4] > 0 and t[o + 5] >= rule[4])
  if full and rule[5] then denied = true end
  answer[#answer + 1], answer[#answer + 2], answer[#answer + 3] = t[o + 1], t[o + 3], t[o + 5]
end
for b = 1, #budgets do
  local money = budgets[b]
  local rule, a = money[1], #answer
  answer[a + 1], answer[a + 2], answer[a + 3], answer[a + 4] = money[2], money[3], money[4], money[5]
  -- What is not spent (6, 7), and of it what nobody holds (8, 9).
  money[6], money[7] = minus(A[rule + usd_of], A[rule + nano_of], money[2], money[3])
  money[8], money[9] = minus(money[6], money[7], money[4], money[5])
end

-- A reply is cut for spent money only; money that others hold makes it wait.
local held = {bound[1], bound[2]}
if again then denied = false end
if not again and not denied and (bound[1] > 0 or bound[2] > 0) then
  local spent_out
  for b = 1, #budgets do
    local money = budgets[b]
    local by_estimate = A[money[1] + estimate_of] == 1
    local amount = by_estimate and estimate or bound
    if A[money[1] + enforce_of] == 1 and less(money[8], money[9], amount[1], amount[2]) then
      denied = true
      if less(money[6], money[7], amount[1], amount[2]) then
        if by_estimate then
          spent_out = nil
          break
        end
        if not spent_out or less(money[6], money[7], spent_out[1], spent_out[2]) then
          spent_out = {money[6], money[7]}
        end
      end
    end
  end
  if spent_out and less(least[1], least[2], bound[1], bound[2])
      and not less(spent_out[1], spent_out[2], least[1], least[2]) then
    held, denied = spent_out, false
    for b = 1, #budgets do
      local money = budgets[b]
      local amount = A[money[1] + estimate_of] == 1 and estimate or held
      if A[money[1] + enforce_of] == 1 and less(money[8], money[9], amount[1], amount[2]) then
        denied = true
      end
    end
  end
end

if denied then
  answer[1] = 0
  -- A clock that was set back must not stand still until it is where it was.
  for s = 1, back and count or 0 do save(scopes[s]) end
  if back and user then save_user(user_key, user_list, user, places[count + 1][3]) end
  return packed(answer)
end

answer[4], answer[5] = held[1], held[2]
for p = 1, #places do
  local t, o, rule = places[p][1], places[p][2], places[p][3]
  if rule[1] > 0 then fill(t, o + 1, 1) end
  if rule[2] > 0 then fill(t, o + 3, tokens) end
  t[o + 5] = t[o + 5] + 1
end
local holds = {held[1], held[2], estimate[1], estimate[2]}
for s = 1, count do
  hold(scopes[s], second, 1, holds)
  save(scopes[s])
end
local keys = {}
for s = 1, count do keys[s] = KEYS[2 + s] end
if user then
  save_user(user_key, user_list, user, places[count + 1][3])
  keys[count + 1] = user_key
end
-- Whoever finds the lease run out needs to know where it holds something.
call('ZADD', KEYS[2], now + lease, KEYS[1])
call('SET', KEYS[1], cmsgpack.pack({'r', admitted, held[1], held[2], estimate[1], estimate[2],
                                    tokens, user and user_key or '', keys, ARGV[3]}))
return packed(answer)
