-- What all scripts of the store stand on. A scope is one hash: field `s` holds its present state,
-- a `d<second>` each the spending of one day that no window holds any more.
--
-- Lua counts in doubles, exact to 2^53 only. So money is two numbers, whole dollars and the
-- nano-dollars beyond them (0 .. 999,999,999), and is never brought into one. Times are
-- microseconds (exact until 2255), windows begin at seconds. Buckets are exact for limits up to
-- 150 million a minute, and wrong by less than a millionth beyond.
--
-- ARGV[1]: the time in microseconds, in tests only; ARGV[2]: whole numbers of 8 bytes; ARGV[3]:
-- the id of the ledger that the balances must have been filled from.
local call, floor, min, max = redis.call, math.floor, math.min, math.max
local unit, amount_max, ceiling = 60000000, 2 ^ 36, 2 ^ 62
local usd_max, nano_max = 9223372036, 854775807

-- State of a scope, by position. Windows follow from `first` on, eight numbers each: start,
-- spent (2), held (2), held by estimate (2), the last step that was told.
local latest, rolls_at, buckets, books, before, memo, first_day, first = 1, 2, 2, 8, 9, 10, 11, 12
local width, pers = 8, 5
-- Of buckets (positions 3 to 7 of a scope, 1 to 5 of a user): used and drained at, twice; running.

local function numbers_of(piece)
  local numbers = {struct.unpack('<' .. string.rep('i8', #piece / 8), piece)}
  numbers[#piece / 8 + 1] = nil  -- where it ended
  return numbers
end
-- One piece as a rule: more would not fit on Lua's stack.
local A = numbers_of(string.sub(ARGV[2], 1, 1600))
for at = 1601, #ARGV[2], 1600 do
  local more, behind = numbers_of(string.sub(ARGV[2], at, at + 1599)), (at - 1) / 8
  for i = 1, #more do A[behind + i] = more[i] end
end
local position = 0
local function take()
  position = position + 1
  return A[position]
end

local function packed(numbers)
  return struct.pack('<' .. string.rep('i8', #numbers), unpack(numbers))
end

local now
if ARGV[1] ~= '' then
  now = tonumber(ARGV[1])
else
  local time = call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
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
  if less(usd_max, nano_max, usd, nano) then return usd_max, nano_max end
  return usd, nano
end

-- Windows -------------------------------------------------------------------------------------

local function month_start(day)
  local z = day + 719468
  local of_era = z - floor(z / 146097) * 146097
  local year = floor((of_era - floor(of_era / 1460) + floor(of_era / 36524)
                      - floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + floor(year / 4) - floor(year / 100))
  return day - (of_year - floor((153 * floor((5 * of_year + 2) / 153) + 2) / 5))
end
local function window_start(per, second)
  if per == 0 then return second - second % 3600 end
  if per == 4 then return 0 end
  local day = floor(second / 86400)
  if per == 2 then day = day - (day + 3) % 7 end
  if per == 3 then day = month_start(day) end
  return day * 86400
end

local function fresh()
  local a = {0, 0, 0, 0, 0, 0, 0, '', '', '', 0}
  for i = first, first + width * pers - 1 do a[i] = 0 end
  return a
end
-- The scope behind a key; nothing where it was not filled from our ledger (`any`: from none).
local function load(key, any)
  local raw = call('HGET', key, 's')
  if not raw then return nil end
  local a = cmsgpack.unpack(raw)
  if not any and not string.find(a[books], ARGV[3] .. ',', 1, true) then return nil end
  return {key = key, a = a}
end
-- The scopes behind `count` keys from `from` on; second: an answer that names those that are to be
-- filled, or nothing.
local function load_all(from, count)
  local scopes, missing = {}, {-1}
  for s = 1, count do
    scopes[s] = load(KEYS[from + s - 1])
    if not scopes[s] then missing[#missing + 1] = s end
  end
  return scopes, #missing > 1 and packed(missing) or nil
end
local function save(scope)
  local a = scope.a
  if scope.before then a[before] = cmsgpack.pack(scope.before) end
  if scope.memo then a[memo] = cmsgpack.pack(scope.memo) end
  call('HSET', scope.key, 's', cmsgpack.pack(a))
end
local function windows_before(scope)
  if scope.before then return scope.before end
  local raw = scope.a[before]
  if raw ~= '' then
    scope.before = cmsgpack.unpack(raw)
  else
    scope.before = {}
    for i = 1, width * pers do scope.before[i] = 0 end
  end
  return scope.before
end
-- Sums of archived days from a date on, for budgets that begin there.
local function memo_of(scope)
  if not scope.memo then
    local raw = scope.a[memo]
    scope.memo = raw ~= '' and cmsgpack.unpack(raw) or {}
  end
  return scope.memo
end

local function archive(scope, day, usd, nano)
  local sum = {0, 0}
  local known = call('HGET', scope.key, 'd' .. day)
  if known then sum = cmsgpack.unpack(known) end
  add(sum, 1, usd, nano)
  call('HSET', scope.key, 'd' .. day, cmsgpack.pack(sum))
  for since, each in pairs(memo_of(scope)) do
    if day >= tonumber(since) then add(each, 1, usd, nano) end
  end
end

-- Moves the windows on, never back. The one before the present one is kept for late ends.
local function roll(scope, time)
  local a = scope.a
  if time <= a[latest] then return end
  a[latest] = time
  local second = floor(time / 1000000)
  if second < a[rolls_at] then return end
  a[rolls_at] = second - second % 3600 + 3600
  for per = 0, pers - 1 do
    local start, i, j = window_start(per, second), first + width * per, 1 + width * per
    if start > a[i] then
      local b = windows_before(scope)
      if per == 1 and (b[j + 1] ~= 0 or b[j + 2] ~= 0) then
        archive(scope, b[j], b[j + 1], b[j + 2])
      end
      for k = 0, width - 1 do b[j + k], a[i + k] = a[i + k], 0 end
      a[i] = start
    end
  end
end

-- Table and position of the window of a call admitted at `second`; nothing: it is gone.
local function window(scope, per, second)
  local i = first + width * per
  if second >= scope.a[i] then return scope.a, i end
  local b, j = windows_before(scope), 1 + width * per
  if window_start(per, second) == b[j] then return b, j end
end
local function hold(scope, second, sign, held)
  local usd, nano, usd_2, nano_2 = sign * held[1], sign * held[2], sign * held[3], sign * held[4]
  local a, bound, estimate = scope.a, usd ~= 0 or nano ~= 0, usd_2 ~= 0 or nano_2 ~= 0
  if not bound and not estimate then return end
  for per = 0, pers - 1 do
    local t, i = a, first + width * per
    if second < a[i] then t, i = window(scope, per, second) end
    if t and bound then add(t, i + 3, usd, nano) end
    if t and estimate then add(t, i + 5, usd_2, nano_2) end
  end
end
local function spend(scope, second, usd, nano)
  if usd == 0 and nano == 0 then return end
  local a, day = scope.a, window_start(1, second)
  if a[first_day] == 0 or day < a[first_day] then a[first_day] = day end
  for per = 0, pers - 1 do
    local t, i = window(scope, per, second)
    if t then
      add(t, i + 1, usd, nano)
      t[i + 1], t[i + 2] = capped(t[i + 1], t[i + 2])
    elseif per == 1 then
      archive(scope, day, usd, nano)
    end
  end
end

local function archived_since(scope, since)
  local sums = memo_of(scope)
  local sum = sums[since]
  if sum then return sum end
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
  return sum
end
local function spent_since(scope, since)
  local archived = archived_since(scope, since)
  local sum = {archived[1], archived[2]}
  local a, b = scope.a, windows_before(scope)
  local i, j = first + width, 1 + width
  if a[i] >= since then add(sum, 1, a[i + 1], a[i + 2]) end
  if b[j] >= since and b[j] > 0 then add(sum, 1, b[j + 1], b[j + 2]) end
  return capped(sum[1], sum[2])
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
-- What is spent (2) and held (2) in it, and its window; nothing: it is gone.
local function money_in(scope, rule, second)
  local t, i = window(scope, A[rule], second)
  if not t then return nil end
  local usd, nano = t[i + 1], t[i + 2]
  if A[rule + since_of] >= 0 then usd, nano = spent_since(scope, A[rule + since_of]) end
  local h = A[rule + estimate_of] == 1 and i + 5 or i + 3
  return usd, nano, t[h], t[h + 1], t, i
end
-- The largest of its steps that this amount has passed; or `told`, if that is larger.
local function step_passed(rule, usd, nano, told)
  local first_step = rule + steps_of + 1
  for s = first_step, first_step + 3 * (A[rule + steps_of] - 1), 3 do
    if A[s] > told and not less(usd, nano, A[s + 1], A[s + 2]) then told = A[s] end
  end
  return told
end

-- Buckets -------------------------------------------------------------------------------------

-- Limits, as they stand among the numbers: requests and tokens a minute, burst in microseconds,
-- concurrent, enforced.
local no_limits = {0, 0, 0, 0, false}
local function take_limits()
  local p = position
  position = p + 5
  if A[p + 1] == 0 and A[p + 2] == 0 and A[p + 4] == 0 then return no_limits end
  return {A[p + 1], A[p + 2], A[p + 3], A[p + 4], A[p + 5] == 1}
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
local function fits(used, rate, burst, amount)
  local all, asked = min(rate * burst, ceiling), min(amount, amount_max) * unit
  if asked > all then return used == 0 end
  return used + asked <= all
end
local function drain_both(t, o, rule)
  if rule[1] > 0 then drain(t, o + 1, rule[1]) end
  if rule[2] > 0 then drain(t, o + 3, rule[2]) end
end

-- What stands packed behind a key of its own, a user's buckets or a call's record; or nothing.
local function load_packed(key)
  local raw = call('GET', key)
  return raw and cmsgpack.unpack(raw)
end

-- Users of a tenant have keys of their own, which end by themselves once their buckets are full.
local function save_user(key, users, user, rule)
  local wait = 0
  if rule[1] > 0 then wait = max(wait, user[1] / rule[1]) end
  if rule[2] > 0 then wait = max(wait, user[3] / rule[2]) end
  local ends = min(floor(wait / 1000000), 30 * 86400) + 3600
  call('SET', key, cmsgpack.pack(user), 'EX', ends)
  if users then call('ZADD', users, now + ends * 1000000, key) end
end

-- Records of calls: {what it is, admitted at, held (2), estimate (2), tokens, key of the user's
-- bucket or '', keys of the scopes and the user, the ledger that is to have its row}: `r` running,
-- `x` its lease ran out, `d` given back; {`s`}: settled. All but the running ones end by
-- themselves: whoever may yet settle them, once Redis is back or a gateway, has until then.
local function close_record(key, record, what, seconds)
  record[1] = what
  call('SET', key, cmsgpack.pack(record), 'EX', seconds)
end
local kept_seconds, kept_long, answered_seconds = 3600, 90 * 86400, 600
local function close_settled(key)
  call('SET', key, cmsgpack.pack({'s'}), 'EX', kept_long)
end
