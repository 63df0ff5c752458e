-- The truth replaces what a call held; once, however often it is asked.
-- KEYS: the call's record, leases, its scopes; then of its user: the bucket, the one of nobody.
-- Numbers: 1 it ran, 0 it never will (its reserve got no answer); admitted at (0: not known); when
-- it ended, where it is asked once more (else 0);
-- charged (2) and tokens, the same of what ran under its model; count of scopes; from which of them
-- on they are models (0: none); which of them has limits by user (0: none); each scope's limits and
-- budgets; the limits by user.
-- Answers: 1 settled, 0 it was before, -1 scopes that are to be filled; then now, and for each step
-- newly passed in a window: places of scope and budget, the step, spent and held, the window's
-- start.
local ran, admitted, ended = A[1] == 1, A[2], A[3]
local due_usd, due_nano, due_tokens = A[4], A[5], A[6]
local count, first_model, user_scope = A[10], A[11], A[12]
position = 12
local record = call('GET', KEYS[1])
local was = record and sub(record, 1, 1)
if was == 's' or (was == 'd' and not ran) then return packed({0, now}) end
if not record then
  record = pack(record_format, 'd', admitted > 0 and ran and admitted or now, 0, 0, 0, 0, 0,
                0, '', 0, '') .. cmsgpack.pack({})
  if not ran then
    -- The reserve may still be on its way: it is to find itself given back.
    close_record(KEYS[1], 'd', record, kept_seconds)
    return packed({1, now})
  end
end
local scopes, unknown = load_all(3, count)
if unknown then return unknown end
-- Data were lost: a scope that was filled since from a ledger that has this call is not charged.
local check_books = not was and ended > 0
local _, since, held_usd, held_nano, guess_usd, guess_nano, estimated, users_key =
    unpacked('<c1ddddddI4c0', record)
local running = was == 'r'
if not running and was ~= 'x' and admitted > 0 then since = admitted end
if not running then estimated = 0 end
local second = floor(since / 1000000)
-- A lease that ran out was charged as spent.
local before_usd, before_nano = 0, 0
if was == 'x' then before_usd, before_nano = held_usd, held_nano end

local function settle_buckets(t, rule, tokens)
  if running then t[running_now] = max(0, t[running_now] - 1) end
  if not ran and A[rule] > 0 then
    drain(t, 3, A[rule])
    give(t, 3, 1)
  end
  if A[rule + 1] == 0 then return end
  drain(t, 5, A[rule + 1])
  if tokens > estimated then
    fill(t, 5, tokens - estimated)
  else
    give(t, 5, estimated - tokens)
  end
end

local answer = {1, now}
for s = 1, count do
  local scope = scopes[s]
  if s == first_model then due_usd, due_nano, due_tokens = A[7], A[8], A[9] end
  settle_buckets(scope, position + 1, due_tokens)
  position = position + 5
  roll(scope, now)
  if running then
    change(scope, second, held, -held_usd, -held_nano)
    change(scope, second, guessed, -guess_usd, -guess_nano)
  end
  local known_until = check_books and call('HGET', scope.key, 'f' .. ARGV[3])
  if not known_until or ended >= tonumber(known_until) then
    spend(scope, second, due_usd - before_usd, due_nano - before_nano)
  end
  for b = 1, take() do
    local rule = take_budget()
    if A[rule + steps_of] > 0 then
      local usd, nano, h_usd, h_nano, start, told, is_before = money_in(scope, rule, second)
      local steps = usd and tell_steps(scope, rule, usd, nano, told, is_before)
      if steps and A[rule] == 4 then start = scope[first_day] end
      for _, step in ipairs(steps or {}) do
        for _, each in ipairs({s, b, step, usd, nano, h_usd, h_nano, start}) do
          answer[#answer + 1] = each
        end
      end
    end
  end
  save(scope)
end
if user_scope > 0 then
  local rule, key = take_limits(), KEYS[3 + count]
  if users_key ~= '' then key = users_key end
  local user = load_user(key)
  if user then
    settle_buckets(user, rule, A[6])
    save_user(key, nil, user, rule)
  end
end
call('ZREM', KEYS[2], KEYS[1])
if ran then
  call('SET', KEYS[1], 's', 'EX', kept_long)
else
  close_record(KEYS[1], 'd', record, kept_seconds)
end
return packed(answer)
