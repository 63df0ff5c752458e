-- A lease has run out: what the call held counts as spent, its tokens and its places are given
-- back. Or its gateway is back, whose ledger says what it came to.
-- KEYS: the call's record, leases, its scopes; then the bucket of its user. Numbers: none; or what
-- the ledger says (2), and whether that also holds where the lease ran out before.
-- Answers: 1, admitted at, charged (2), whether its row belongs into our ledger; or 0: it did not
-- run out, is settled, or is gone. A row for another ledger waits in a list for who keeps that.
local truth = #ARGV[2] > 0 and {take(), take()}
local late = truth and take() == 1
local record = call('GET', KEYS[1])
local was = record and sub(record, 1, 1)
if truth then
  if was ~= 'r' and not (late and was == 'x') then return packed({0}) end
else
  local ends = call('ZSCORE', KEYS[2], KEYS[1])
  if ends and tonumber(ends) > now then return packed({0}) end
end
call('ZREM', KEYS[2], KEYS[1])
if was ~= 'r' and not truth then return packed({0}) end
local running = was == 'r'
local _, admitted, held_usd, held_nano, guess_usd, guess_nano, tokens, user_key, owner, behind =
    unpacked(record_format, record)
local second, of_user = floor(admitted / 1000000), user_key ~= ''
local due = truth or {held_usd, held_nano}
local before = running and {0, 0} or {held_usd, held_nano}
local function give_back(t)
  t[running_now] = max(0, t[running_now] - 1)
  give(t, 5, tokens)
end
for k = 3, of_user and #KEYS - 1 or #KEYS do
  local scope = load(KEYS[k], true)
  if scope then
    if running then give_back(scope) end
    roll(scope, now)
    if running then
      change(scope, second, held, -held_usd, -held_nano)
      change(scope, second, guessed, -guess_usd, -guess_nano)
    end
    spend(scope, second, due[1] - before[1], due[2] - before[2])
    save(scope)
  end
end
local user = of_user and running and load_user(KEYS[#KEYS])
if user then
  give_back(user)
  call('SET', KEYS[#KEYS], pack(user_format, unpack(user, 3, 7)), 'EX', kept_seconds)
end
if truth then
  call('SET', KEYS[1], 's', 'EX', kept_long)
  return packed({1, admitted, due[1], due[2], 1})
end
if owner ~= ARGV[3] then
  local list = KEYS[2] .. ':' .. owner
  local keys = cmsgpack.unpack(sub(record, behind))
  call('RPUSH', list, packed({admitted, held_usd, held_nano}) ..
                          table.concat({KEYS[1], unpack(keys)}, '\n'))
  call('EXPIRE', list, kept_long)
end
close_record(KEYS[1], 'x', record, kept_long)
return packed({1, admitted, held_usd, held_nano, owner == ARGV[3] and 1 or 0})
