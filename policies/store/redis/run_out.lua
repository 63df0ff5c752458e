-- A lease has run out: what the call held counts as spent, its tokens and its places are given
-- back. KEYS: the call's record, leases, its scopes; then the bucket of its user. Answers: 1,
-- admitted at, charged (2), whether its row belongs into our ledger; or 0: it did not run out, or
-- is gone. A row for another ledger waits in a list for who keeps that.
local ends, record = call('ZSCORE', KEYS[2], KEYS[1]), load_packed(KEYS[1])
if ends and tonumber(ends) > now then return packed({0}) end
call('ZREM', KEYS[2], KEYS[1])
if not record or record[1] ~= 'r' then return packed({0}) end
local second, of_user = floor(record[2] / 1000000), record[8] ~= ''
local function give_back(t, o)
  t[o + 5] = max(0, t[o + 5] - 1)
  give(t, o + 3, record[7])
end
for k = 3, of_user and #KEYS - 1 or #KEYS do
  local scope = load(KEYS[k], true)
  if scope then
    give_back(scope.a, buckets)
    roll(scope, now)
    hold(scope, second, 1, {-record[3], -record[4], -record[5], -record[6]})
    spend(scope, second, record[3], record[4])
    save(scope)
  end
end
if of_user then
  local user = load_packed(KEYS[#KEYS])
  if user then
    give_back(user, 0)
    call('SET', KEYS[#KEYS], cmsgpack.pack(user), 'EX', kept_seconds)
  end
end
local owner = record[10] or ARGV[3]
if owner ~= ARGV[3] then
  local list = KEYS[2] .. ':' .. owner
  call('RPUSH', list, packed({record[2], record[3], record[4]}) ..
                          table.concat({KEYS[1], unpack(record[9])}, '\n'))
  call('EXPIRE', list, 90 * 86400)
end
record[9] = {}
close_record(KEYS[1], record, 'x', 86400)
return packed({1, record[2], record[3], record[4], owner == ARGV[3] and 1 or 0})
