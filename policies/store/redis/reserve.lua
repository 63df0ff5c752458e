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
local again, lease, users_max = A[1] == 1, A[2], A[3]
local bound_usd, bound_nano, guess_usd, guess_nano = A[4], A[5], A[6], A[7]
local least_usd, least_nano = A[8], A[9]
local tokens, count, user_scope, named = A[10], A[11], A[12], A[13] == 1
position = 13

if call('EXISTS', KEYS[1]) == 1 then return packed({-2}) end
local scopes, unknown = load_all(3, count)
if unknown then return unknown end
local admitted = now
for s = 1, count do admitted = max(admitted, scopes[s][latest]) end
local second = floor(admitted / 1000000)

-- Of each budget: its rule, spent (2), held (2).
local budgets, rules = {}, {}
for s = 1, count do
  local scope = scopes[s]
  rules[s] = position + 1
  position = position + 5
  roll(scope, admitted)
  for _ = 1, take() do
    local rule = take_budget()
    local usd, nano, held_usd, held_nano = money_in(scope, rule, second)
    budgets[#budgets + 1] = {rule, usd, nano, held_usd, held_nano}
  end
end

local user, user_key, user_list
if user_scope > 0 then
  user_key = KEYS[3 + count]
  user = load_user(user_key)
  if named then
    user_list = KEYS[5 + count]
    if not user then
      call('ZREMRANGEBYSCORE', user_list, '-inf', now)
      if call('ZCARD', user_list) >= users_max then
        user_key, user_list = KEYS[4 + count], nil
        user = load_user(user_key)
      end
    end
  end
  user = user or {0, 0, 0, 0, 0, 0, 0}
  rules[count + 1] = take_limits()
end

local function fits(used, rate, burst, amount)
  local all, asked = min(rate * burst, ceiling), min(amount, amount_max) * unit
  if asked > all then return used == 0 end
  return used + asked <= all
end
local denied, back = false, false
local answer, a = {1, now, admitted, 0, 0}, 5
for p = 1, #rules do
  local t, rule = scopes[p] or user, rules[p]
  local requests, per_tokens, at_once = A[rule], A[rule + 1], A[rule + 3]
  if now < t[4] or now < t[6] then back = true end
  if requests > 0 or per_tokens > 0 or at_once > 0 then
    drain_both(t, rule)
    if A[rule + 4] == 1 and
        ((requests > 0 and not fits(t[3], requests, A[rule + 2], 1))
         or (per_tokens > 0 and not fits(t[5], per_tokens, A[rule + 2], tokens))
         or (at_once > 0 and t[running_now] >= at_once)) then
      denied = true
    end
  end
  answer[a + 1], answer[a + 2], answer[a + 3] = t[3], t[5], t[running_now]
  a = a + 3
end
for b = 1, #budgets do
  local money = budgets[b]
  answer[a + 1], answer[a + 2], answer[a + 3], answer[a + 4] =
      money[2], money[3], money[4], money[5]
  a = a + 4
end

-- A reply is cut for spent money only; money that others hold makes it wait.
local held_usd, held_nano = bound_usd, bound_nano
-- What is not spent of a budget (2), and of that what nobody holds (2).
local function left_in(money)
  local rule = money[1]
  local usd, nano = minus(A[rule + usd_of], A[rule + nano_of], money[2], money[3])
  return usd, nano, minus(usd, nano, money[4], money[5])
end
if again then denied = false end
if not again and not denied and (bound_usd > 0 or bound_nano > 0) then
  local out_usd, out_nano
  for b = 1, #budgets do
    local money = budgets[b]
    local rule = money[1]
    if A[rule + enforce_of] == 1 then
      local by_estimate = A[rule + estimate_of] == 1
      local usd, nano = bound_usd, bound_nano
      if by_estimate then usd, nano = guess_usd, guess_nano end
      local free_usd, free_nano, left_usd, left_nano = left_in(money)
      if less(left_usd, left_nano, usd, nano) then
        denied = true
        if less(free_usd, free_nano, usd, nano) then
          if by_estimate then
            out_usd = nil
            break
          end
          if not out_usd or less(free_usd, free_nano, out_usd, out_nano) then
            out_usd, out_nano = free_usd, free_nano
          end
        end
      end
    end
  end
  if out_usd and less(least_usd, least_nano, bound_usd, bound_nano)
      and not less(out_usd, out_nano, least_usd, least_nano) then
    held_usd, held_nano, denied = out_usd, out_nano, false
    for b = 1, #budgets do
      local money = budgets[b]
      local rule = money[1]
      local usd, nano = held_usd, held_nano
      if A[rule + estimate_of] == 1 then usd, nano = guess_usd, guess_nano end
      local _, _, left_usd, left_nano = left_in(money)
      if A[rule + enforce_of] == 1 and less(left_usd, left_nano, usd, nano) then denied = true end
    end
  end
end

if denied then
  answer[1] = 0
  -- A clock that was set back must not stand still until it is where it was.
  for s = 1, back and count or 0 do save(scopes[s]) end
  if back and user then save_user(user_key, user_list, user, rules[count + 1]) end
  return packed(answer)
end

answer[4], answer[5] = held_usd, held_nano
for p = 1, #rules do
  local t, rule = scopes[p] or user, rules[p]
  if A[rule] > 0 then fill(t, 3, 1) end
  if A[rule + 1] > 0 then fill(t, 5, tokens) end
  t[running_now] = t[running_now] + 1
end
for s = 1, count do
  local scope = scopes[s]
  change(scope, second, held, held_usd, held_nano)
  change(scope, second, guessed, guess_usd, guess_nano)
  save(scope)
end
local keys = {unpack(KEYS, 3, 2 + count)}
if user then
  save_user(user_key, user_list, user, rules[count + 1])
  keys[count + 1] = user_key
end
-- Whoever finds the lease run out needs to know where it holds something.
user_key = user and user_key or ''
call('ZADD', KEYS[2], now + lease, KEYS[1])
call('SET', KEYS[1], pack(record_format, 'r', admitted, held_usd, held_nano, guess_usd, guess_nano,
                          tokens, #user_key, user_key, #ARGV[3], ARGV[3]) .. cmsgpack.pack(keys))
return packed(answer)
