-- The lease of a running call goes on. KEYS: the key's record. ARGV: owner, lease in milliseconds.
local call = redis.call
if redis.replicate_commands then redis.replicate_commands() end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = call('HMGET', KEYS[1], 'owner', 'state')
if known[1] ~= ARGV[1] or known[2] ~= 'running' then return 0 end
call('HSET', KEYS[1], 'until', string.format('%.0f', now + tonumber(ARGV[2])))
return 1
