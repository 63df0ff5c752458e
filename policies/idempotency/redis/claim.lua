-- Who runs the call of a key. KEYS: the key's record. ARGV: fingerprint, owner, lease and time to
-- live in milliseconds; lease 0 only looks.
local call = redis.call
if redis.replicate_commands then redis.replicate_commands() end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[3])
local known = call('HMGET', KEYS[1], 'print', 'owner', 'until', 'state')
if not known[1] then
  if lease == 0 then return {'free'} end
  call('HSET', KEYS[1], 'print', ARGV[1], 'owner', ARGV[2])
  call('HSET', KEYS[1], 'until', string.format('%.0f', now + lease), 'state', 'running')
  call('PEXPIRE', KEYS[1], ARGV[4])
  return {'granted'}
end
if known[1] ~= ARGV[1] then return {'reused'} end
if known[4] == 'done' then
  if lease == 0 then return {'done'} end
  return {'done', call('HGET', KEYS[1], 'reply')}
end
if known[4] == 'running' then
  if known[2] == ARGV[2] then return {'granted'} end
  if now < tonumber(known[3]) then return {'running'} end
end
return {'unknown'}
