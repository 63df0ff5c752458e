-- One that waited for a lease's call has gone. KEYS: the lease. ARGV: its owner.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
return redis.call('HINCRBY', KEYS[1], 'waiting', -1)
