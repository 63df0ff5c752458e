-- What all scripts of the store stand on. A scope is one hash: field `s` holds its present state,
-- `w` its windows, `b` those before them, a `d<second>` each the spending of one day that no window
-- holds any more, `m` sums of these.
--
-- Lua counts in doubles, exact to 2^53 only. So money is two numbers, whole dollars and the
-- nano-dollars beyond them (0 .. 999,999,999), and is never brought into one. Times are
-- microseconds (exact until 2255), windows begin at seconds. Buckets are exact for limits up to
-- 150 million a minute, and wrong by less than a millionth beyond.
--
-- Each call runs all of this once more, and Lua hashes each string that comes up, byte for byte:
-- what a call need not look at stays in Redis.
--
-- ARGV[1]: the time in microseconds, in tests only; ARGV[2]: whole numbers, as doubles; ARGV[3]:
-- the id of the ledger that the balances must have been filled from.
local call, floor, min, max = redis.call, math.floor, math.min, math.max
local pack, unpacked, sub = struct.pack, struct.unpack, string.sub
local unit, amount_max, ceiling = 60000000, 2 ^ 36, 2 ^ 62

-- State of a scope, by position: the latest time seen; when a window ends next; its buckets
-- (positions 3 to 7, of a user as well): used and drained at, twice, running; the first day with
-- spending; what all its calls ever spent (2), what those that run hold (2), hold by estimate (2);
-- the ledgers that it was filled from.
local latest, rolls_at, running_now, first_day, spent, held, guessed, books =
    1, 2, 7, 8, 9, 11, 13, 15
local state_format = '<dddddddddddddds'
local user_format = '<ddddd'
-- Windows are eight numbers each: start; what is in the sums above and not in this window: spent
-- (2), held (2), by estimate (2); the last step that was told. So a call that is in all present
-- windows changes the sums alone. Of windows before: what they hold themselves. Behind them stand
-- the largest amounts (2) that told steps stood for, of each window: a reload may raise a ceiling.
-- The release before knows of no amounts, and writes none.
local width, pers = 8, 5
local windows_format = '<dddddddddddddddddddddddddddddddddddddddd'
local window_format, amounts_format = '<dddddddd', '<dddddddddd'
local amounts, windows_size = width * pers, 8 * width * pers
local amount_unknown = 2 ^ 53

local A
do
  local numbers = ARGV[2]
  local count = #numbers / 8
  if count <= 200 then
    A = {unpacked('<' .. string.rep('d', count), numbers)}
    A[count + 1] = nil  -- where it ended
  else
    -- One piece after another: more would not fit on Lua's stack.
    A = {}
    for at = 1, #numbers, 1600 do
      local piece = sub(numbers, at, at + 1599)
      local more, behind = {unpacked('<' .. string.rep('d', #piece / 8), piece)}, (at - 1) / 8
      for i = 1, #piece / 8 do A[behind + i] = more[i] end
    end
  end
end
local position = 0
local function take()
  position = position + 1
  return A[position]
end

local function packed(numbers)
  return pack('<' .. string.rep('d', #numbers), unpack(numbers))
end

local now
if ARGV[1] ~= '' then
  now = tonumber(ARGV[1])
else
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end

-- Money ---------------------------------------------------------------------------------------

local function add(t, i, usd, nano)
  usd, nano = t[i] + usd, t[i + 1] + nano
  if nano >= 1000000000 then
    usd, nano = usd + 1, nano - 1000000000
  elseif nano < 0 then
    usd, nano = usd - 1, nano + 1000000000
  end
  t[i], t[i + 1] = usd, nano
end
local function less(usd, nano, than_usd, than_nano)
  return usd < than_usd or (usd == than_usd and nano < than_nano)
end
local function minus(usd, nano, less_usd, less_nano)
  usd, nano = usd - less_usd, nano - less_nano
  if nano < 0 then return usd - 1, nano + 1000000000 end
  return usd, nano
end
-- What the gateway's own whole numbers cannot hold counts as their largest.
local function capped(usd, nano)
  if usd >= 9223372036 and (usd > 9223372036 or nano > 854775807) then
    return 9223372036, 854775807
  end
  return usd, nano
end

-- Scopes --------------------------------------------------------------------------------------

-- The scope behind a key, as numbers, with what more is known of it; nothing where it was not
-- filled from our ledger (`any`: from none).
local own_books = ARGV[3] .. ','
local function load(key, any)
  local raw = call('HGET', key, 's')
  if not raw then return nil end
  local scope = {key = key, raw = false, windows = false, before = false, changes = false,
                 unpacked(state_format, raw)}
  if scope[books] ~= own_books and not any and
      not string.find(scope[books], own_books, 1, true) then
    return nil
  end
  return scope
end
-- The scopes behind `count` keys from `from` on; second: an answer that names those that are to be
-- filled, or nothing.
local function load_all(from, count)
  local scopes, missing = {}, nil
  for s = 1, count do
    local scope = load(KEYS[from + s - 1])
    if scope then
      scopes[s] = scope
    else
      missing = missing or {-1}
      missing[#missing + 1] = s
    end
  end
  return scopes, missing and packed(missing)
end
local function windows_in(raw)
  local windows = {unpacked(windows_format, raw or string.rep('\0', windows_size))}
  local told = raw and #raw > windows_size and {unpacked(amounts_format, raw, windows_size + 1)}
  for per = 0, pers - 1 do
    local k = 1 + 2 * per
    if told then
      windows[amounts + k], windows[amounts + k + 1] = told[k], told[k + 1]
    else
      windows[amounts + k] = windows[width * per + 8] > 0 and amount_unknown or 0
      windows[amounts + k + 1] = 0
    end
  end
  return windows
end
local function packed_windows(windows)
  return pack(windows_format, unpack(windows, 1, amounts)) ..
      pack(amounts_format, unpack(windows, amounts + 1, amounts + 2 * pers))
end
local function save(scope)
  local state, windows = pack(state_format, unpack(scope, 1, books)), scope.windows
  if not windows then
    call('HSET', scope.key, 's', state)
  elseif not scope.changes then
    call('HSET', scope.key, 's', state, 'w', packed_windows(windows))
  else
    call('HSET', scope.key, 's', state, 'w', packed_windows(windows),
         'b', packed_windows(scope.before))
  end
end
local function raw_windows(scope)
  if not scope.raw then scope.raw = call('HGET', scope.key, 'w') end
  return scope.raw
end
-- All windows, to be changed.
local function windows_of(scope)
  if not scope.windows then scope.windows = windows_in(raw_windows(scope)) end
  return scope.windows
end
local function windows_before(scope)
  if not scope.before then scope.before = windows_in(call('HGET', scope.key, 'b')) end
  return scope.before
end

-- Windows -------------------------------------------------------------------------------------

local function window_start(per, second)
  if per == 0 then return second - second % 3600 end
  if per == 4 then return 0 end
  local day = floor(second / 86400)
  if per == 2 then day = day - (day + 3) % 7 end
  if per == 3 then
    local z = day + 719468
    local of_era = z - floor(z / 146097) * 146097
    local year = floor((of_era - floor(of_era / 1460) + floor(of_era / 36524)
                        - floor(of_era / 146096)) / 365)
    local of_year = of_era - (365 * year + floor(year / 4) - floor(year / 100))
    day = day - (of_year - floor((153 * floor((5 * of_year + 2) / 153) + 2) / 5))
  end
  return day * 86400
end

-- A day that no window holds any more; and sums of such days from a date on, for budgets that
-- begin there.
local function archive(scope, day, usd, nano)
  local key = scope.key
  local known = call('HGET', key, 'd' .. day)
  local sum = known and cmsgpack.unpack(known) or {0, 0}
  add(sum, 1, usd, nano)
  call('HSET', key, 'd' .. day, cmsgpack.pack(sum))
  local sums = call('HGET', key, 'm')
  if not sums then return end
  sums = cmsgpack.unpack(sums)
  for since, each in pairs(sums) do
    if day >= tonumber(since) then add(each, 1, usd, nano) end
  end
  call('HSET', key, 'm', cmsgpack.pack(sums))
end

-- Moves the windows on, never back. The one before the present one is kept for late ends.
local function roll(scope, time)
  if time <= scope[latest] then return end
  scope[latest] = time
  local second = floor(time / 1000000)
  if second < scope[rolls_at] then return end
  scope[rolls_at] = second - second % 3600 + 3600
  local a, b = windows_of(scope), windows_before(scope)
  for per = 0, pers - 1 do
    local start, i = window_start(per, second), 1 + width * per
    if start > a[i] then
      if per == 1 and (b[i + 1] ~= 0 or b[i + 2] ~= 0) then
        archive(scope, b[i], b[i + 1], b[i + 2])
      end
      b[i], b[i + 7], a[i], a[i + 7] = a[i], a[i + 7], start, 0
      local told = amounts + 1 + 2 * per
      b[told], b[told + 1], a[told], a[told + 1] = a[told], a[told + 1], 0, 0
      for k = 0, 4, 2 do
        local usd, nano = scope[spent + k], scope[spent + k + 1]
        b[i + k + 1], b[i + k + 2] = minus(usd, nano, a[i + k + 1], a[i + k + 2])
        a[i + k + 1], a[i + k + 2] = usd, nano
      end
      scope.changes = true
    end
  end
end

-- A change of a sum (`which`) by a call that was admitted before some window began: that one leaves
-- it out, the one before may have it.
local function change_late(scope, second, which, usd, nano)
  local a, b = windows_of(scope), windows_before(scope)
  for per = 0, pers - 1 do
    local i = 1 + width * per
    if second < a[i] then
      local k = i + which - spent + 1
      add(a, k, usd, nano)
      if window_start(per, second) == b[i] then
        add(b, k, usd, nano)
        scope.changes = true
      elseif per == 1 and which == spent then
        archive(scope, window_start(1, second), usd, nano)
      end
    end
  end
end
local function change(scope, second, which, usd, nano)
  if usd == 0 and nano == 0 then return end
  add(scope, which, usd, nano)
  -- No window begins later than the hour.
  if second < scope[rolls_at] - 3600 then change_late(scope, second, which, usd, nano) end
end
local function spend(scope, second, usd, nano)
  if usd == 0 and nano == 0 then return end
  local day = second - second % 86400
  if scope[first_day] == 0 or day < scope[first_day] then scope[first_day] = day end
  change(scope, second, spent, usd, nano)
end

local function spent_since(scope, since)
  local raw = call('HGET', scope.key, 'm')
  local sums = raw and cmsgpack.unpack(raw) or {}
  local sum = sums[since]
  if not sum then
    sum = {0, 0}
    local fields = call('HGETALL', scope.key)
    for f = 1, #fields, 2 do
      local day = string.match(fields[f], '^d(%-?%d+)$')
      if day and tonumber(day) >= since then
        local amount = cmsgpack.unpack(fields[f + 1])
        add(sum, 1, amount[1], amount[2])
      end
    end
    sums[since] = sum
    call('HSET', scope.key, 'm', cmsgpack.pack(sums))
  end
  local a, b = windows_of(scope), windows_before(scope)
  local i = 1 + width
  if a[i] >= since then
    add(sum, 1, minus(scope[spent], scope[spent + 1], a[i + 1], a[i + 2]))
  end
  if b[i] >= since and b[i] > 0 then add(sum, 1, b[i + 1], b[i + 2]) end
  return sum[1], sum[2]
end

-- Budgets, as they stand among the numbers: per, ceiling (2), by estimate, enforced, since (or
-- -1), count of steps, and each step: permille and the least amount (2) that has passed it. A rule
-- is the place where it begins: most of it is never looked at, and tables cost.
local usd_of, nano_of, estimate_of, enforce_of, since_of, steps_of = 1, 2, 3, 4, 5, 6
local function take_budget()
  local rule = position + 1
  position = position + 7 + 3 * A[rule + steps_of]
  return rule
end
-- What is spent (2) and held (2) in it; its window's start, the last step told there, and whether
-- that window is the one before. Nothing: it is gone.
local function money_in(scope, rule, second)
  local per, windows = A[rule], scope.windows
  local at = 1 + width * per
  local start, usd, nano, h_usd, h_nano, g_usd, g_nano, told
  if windows then
    start, usd, nano, h_usd, h_nano, g_usd, g_nano, told = unpack(windows, at, at + 7)
  else
    start, usd, nano, h_usd, h_nano, g_usd, g_nano, told =
        unpacked(window_format, raw_windows(scope), 8 * at - 7)
  end
  local by_estimate, is_before = A[rule + estimate_of] == 1, second < start
  if is_before then
    local b = windows_before(scope)
    if window_start(per, second) ~= b[at] then return nil end
    start, usd, nano, h_usd, h_nano, g_usd, g_nano, told = unpack(b, at, at + 7)
    if by_estimate then h_usd, h_nano = g_usd, g_nano end
  else
    usd, nano = minus(scope[spent], scope[spent + 1], usd, nano)
    if by_estimate then
      h_usd, h_nano = minus(scope[guessed], scope[guessed + 1], g_usd, g_nano)
    else
      h_usd, h_nano = minus(scope[held], scope[held + 1], h_usd, h_nano)
    end
  end
  if A[rule + since_of] >= 0 then usd, nano = spent_since(scope, A[rule + since_of]) end
  usd, nano = capped(usd, nano)
  return usd, nano, h_usd, h_nano, start, told, is_before
end
-- The largest amount that a told step of this window stood for.
local function told_amount(scope, per, is_before)
  local windows = is_before and windows_before(scope) or scope.windows
  local at = 1 + 2 * per
  if windows then return windows[amounts + at], windows[amounts + at + 1] end
  local raw = raw_windows(scope)
  if #raw <= windows_size then return amount_unknown, 0 end
  return unpacked('<dd', raw, windows_size + 8 * at - 7)
end
-- The steps that this amount has passed and nobody was told of: above the last one that was told,
-- or standing for more than any of them. They count as told. Nothing: there are none.
local function tell_steps(scope, rule, usd, nano, told, is_before)
  local per, first_step = A[rule], rule + steps_of + 1
  local steps, told_usd, told_nano
  for s = first_step, first_step + 3 * (A[rule + steps_of] - 1), 3 do
    local step, step_usd, step_nano = A[s], A[s + 1], A[s + 2]
    if not less(usd, nano, step_usd, step_nano) then
      if not told_usd then
        told_usd, told_nano = 0, 0
        if told > 0 then told_usd, told_nano = told_amount(scope, per, is_before) end
      end
      local is_more = less(told_usd, told_nano, step_usd, step_nano)
      if is_more then told_usd, told_nano = step_usd, step_nano end
      if is_more or step > told then
        steps, told = steps or {}, max(told, step)
        steps[#steps + 1] = step
      end
    end
  end
  if not steps then return nil end
  local windows, at = windows_of(scope), amounts + 1 + 2 * per
  if is_before then windows, scope.changes = windows_before(scope), true end
  windows[8 + width * per], windows[at], windows[at + 1] = told, told_usd, told_nano
  return steps
end

-- Buckets -------------------------------------------------------------------------------------

-- Limits, as they stand among the numbers: requests and tokens a minute, burst in microseconds,
-- concurrent, enforced. A rule is the place where it begins.
local function take_limits()
  position = position + 5
  return position - 4
end
local function drain(t, i, rate)
  if now > t[i + 1] then t[i] = max(0, t[i] - (now - t[i + 1]) * rate) end
  t[i + 1] = now
end
local function give(t, i, amount)
  t[i] = max(0, t[i] - min(amount, amount_max) * unit)
end
local function fill(t, i, amount)
  t[i] = min(ceiling, t[i] + min(amount, amount_max) * unit)
end
local function drain_both(t, rule)
  if A[rule] > 0 then drain(t, 3, A[rule]) end
  if A[rule + 1] > 0 then drain(t, 5, A[rule + 1]) end
end

-- A user's buckets, at the places where a scope has them; or nothing.
local function load_user(key)
  local raw = call('GET', key)
  return raw and {0, 0, unpacked(user_format, raw)}
end
-- Users of a tenant have keys of their own, which end by themselves once their buckets are full.
local function save_user(key, users, user, rule)
  local wait = 0
  if A[rule] > 0 then wait = max(wait, user[3] / A[rule]) end
  if A[rule + 1] > 0 then wait = max(wait, user[5] / A[rule + 1]) end
  local ends = min(floor(wait / 1000000), 30 * 86400) + 3600
  call('SET', key, pack(user_format, unpack(user, 3, 7)), 'EX', ends)
  if users then call('ZADD', users, now + ends * 1000000, key) end
end

-- Records of calls: what it is, admitted at, held (2), estimate (2), tokens, key of the user's
-- bucket or '', the ledger that is to have its row; behind them the keys of the scopes and the
-- user. `r` running, `x` its lease ran out, `d` given back; a settled one is `s` alone. All but the
-- running ones end by themselves: whoever may yet settle them, once Redis is back or a gateway, has
-- until then.
local record_format = '<c1ddddddI4c0I4c0'
local function close_record(key, what, record, seconds)
  call('SET', key, what .. sub(record, 2), 'EX', seconds)
end
local kept_seconds, kept_long, answered_seconds = 3600, 90 * 86400, 600
