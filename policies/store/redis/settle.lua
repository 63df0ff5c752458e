-- The truth replaces what a call held; once, however often it is asked.
-- KEYS: the call's record, leases, its scopes; then of its user: the bucket, the one of nobody.
-- Numbers: 1 it ran, 0 it never will (its reserve got no answer); admitted at (0: not known); when
-- it ended, where it is asked once more (else 0);
-- charged (2) and tokens, the same of what ran under its model; count of scopes; from which of them
-- on they are models (0: none); which of them has limits by user (0: none); each scope's limits and
-- budgets; the limits by user.
-- Answers: 1 settled, 0 it was before, -1 scopes that are to be filled; then now, and for each step
-- newly passed in a window: places of scope and budget, the steps told before and now, spent and
-- held, the window's start.
local ran, admitted, ended = take() == 1, take(), take()
local charged = {take(), take()}
local tokens = take()
local model_charged, model_tokens = {take(), take()}, take()
local count, first_model, user_scope = take(), take(), take()
local record = load_packed(KEYS[1])
local was = record and record[1]
if was == 's' or (was == 'd' and not ran) then return packed({0, now}) end
if not ran and not record then
  -- The reserve may still be on its way: it is to find itself given back.
  close_record(KEYS[1], {'d', now, 0, 0, 0, 0, 0, '', {}}, 'd', kept_seconds)
  return packed({1, now})
end
local scopes, unknown = load_all(3, count)
if unknown then return unknown end
-- Data were lost: a scope that was filled since from a ledger that has this call is not charged.
local check_books = not record and ended > 0
record = record or {'d', admitted > 0 and admitted or now, 0, 0, 0, 0, 0, '', {}}
if was ~= 'r' and was ~= 'x' and admitted > 0 then record[2] = admitted end
local running = was == 'r'
local second = floor(record[2] / 1000000)
local holds = {-record[3], -record[4], -record[5], -record[6]}
-- A lease that ran out was charged as spent.
local before = was == 'x' and {record[3], record[4]} or {0, 0}

local function settle_buckets(t, o, rule, tokens)
  if running then t[o + 5] = max(0, t[o + 5] - 1) end
  if not ran and rule[1] > 0 then
    drain(t, o + 1, rule[1])
    give(t, o + 1, 1)
  end
  if rule[2] == 0 then return end
  drain(t, o + 3, rule[2])
  local estimated = running and record[7] or 0
  if tokens > estimated then
    fill(t, o + 3, tokens - estimated)
  else
    give(t, o + 3, estimated - tokens)
  end
end

local answer = {1, now}
for s = 1, count do
  local scope = scopes[s]
  local is_model = first_model > 0 and s >= first_model
  local due = is_model and model_charged or charged
  settle_buckets(scope.a, buckets, take_limits(), is_model and model_tokens or tokens)
  roll(scope, now)
  if running then hold(scope, second, 1, holds) end
  local known_until = check_books and call('HGET', scope.key, 'f' .. ARGV[3])
  if not known_until or ended >= tonumber(known_until) then
    spend(scope, second, due[1] - before[1], due[2] - before[2])
  end
  for b = 1, take() do
    local rule = take_budget()
    if A[rule + steps_of] > 0 then
      local usd, nano, held_usd, held_nano, t, i = money_in(scope, rule, second)
      local told = t and t[i + 7]
      local passed = t and step_passed(rule, usd, nano, told)
      if passed ~= told then
        t[i + 7] = passed
        local start = A[rule] == 4 and scope.a[first_day] or t[i]
        for _, each in ipairs({s, b, told, passed, usd, nano, held_usd, held_nano, start}) do
          answer[#answer + 1] = each
        end
      end
    end
  end
  save(scope)
end
if user_scope > 0 then
  local rule, key = take_limits(), KEYS[3 + count]
  if record[8] ~= '' then key = record[8] end
  local user = load_packed(key)
  if user then
    settle_buckets(user, 0, rule, tokens)
    save_user(key, nil, user, rule)
  end
end
call('ZREM', KEYS[2], KEYS[1])
record[9] = {}
if ran then close_settled(KEYS[1]) else close_record(KEYS[1], record, 'd', kept_seconds) end
return packed(answer)
