-- A lease has run out: what the call held counts as spent, its tokens and its places are given
-- back. Or its gateway is back, whose ledger says what it came to.
-- KEYS: the call's record, leases, its scopes; then the bucket of its user. Numbers: none; or what
-- the ledger says (2), and whether that also holds where the lease ran out before.
-- Answers: 1, admitted at, charged (2), whether its row belongs into our ledger; or 0: it did not
-- run out, is settled, or is gone. A row for another ledger waits in a list for who keeps that.
local truth = #A > 0 and {take(), take()}
local late = truth and take() == 1
local record = load_packed(KEYS[1])
local was = record and record[1]
if truth then
  if was ~= 'r' and not (late and was == 'x') then return packed({0}) end
else
  local ends = call('ZSCORE', KEYS[2], KEYS[1])
  if ends and tonumber(ends) > now then return packed({0}) end
end
call('ZREM', KEYS[2], KEYS[1])
if was ~= 'r' and not truth then return packed({0}) end
local running = was == 'r'
local second, of_user = floor(record[2] / 1000000), record[8] ~= ''
local due = truth or {record[3], record[4]}
local before = running and {0, 0} or {record[3], record[4]}
local function give_back(t, o)
  t[o + 5] = max(0, t[o + 5] - 1)
  give(t, o + 3, record[7])
end
for k = 3, of_user and #KEYS - 1 or #KEYS do
  local scope = load(KEYS[k], true)
  if scope then
    if running then give_back(scope.a, buckets) end
    roll(scope, now)
    if running then
      hold(scope, second, 1, {-record[3], -record[4], -record[5], -record[6]})
    end
    spend(scope, second, due[1] - before[1], due[2] - before[2])
    save(scope)
  end
end
local user = of_user and running and load_packed(KEYS[#KEYS])
if user then
  give_back(user, 0)
  call('SET', KEYS[#KEYS], cmsgpack.pack(user), 'EX', kept_seconds)
end
local owner = record[10] or ARGV[3]
if truth then
  close_settled(KEYS[1])
  return packed({1, record[2], due[1], due[2], 1})
end
if owner ~= ARGV[3] then
  local list = KEYS[2] .. ':' .. owner
  call('RPUSH', list, packed({record[2], record[3], record[4]}) ..
                          table.concat({KEYS[1], unpack(record[9])}, '\n'))
  call('EXPIRE', list, kept_long)
end
close_record(KEYS[1], record, 'x', kept_long)
return packed({1, record[2], record[3], record[4], owner == ARGV[3] and 1 or 0})
