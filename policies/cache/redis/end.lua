-- The call has ended: for those that wait, how; for others, the place is free. KEYS: the lease.
-- ARGV: owner; done or failed; the error that all are told, or nothing; how long those that wait may
-- take to look, in milliseconds.
local call = redis.call
if call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
call('HDEL', KEYS[1], 'owner', 'leader')
call('HSET', KEYS[1], 'last', ARGV[1], 'said', ARGV[2], 'error', ARGV[3])
return call('PEXPIRE', KEYS[1], ARGV[4])
