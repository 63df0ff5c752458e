-- The owner's last word. KEYS: the key's record. ARGV: owner; done, lost, or free (nothing was
-- spent, the key is as new); time to live in milliseconds; the reply, where done.
local call = redis.call
if call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
if ARGV[2] == 'free' then return call('DEL', KEYS[1]) end
call('HSET', KEYS[1], 'state', ARGV[2])
if ARGV[2] == 'done' then call('HSET', KEYS[1], 'reply', ARGV[4]) end
call('PEXPIRE', KEYS[1], ARGV[3])
return 1
