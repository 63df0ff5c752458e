-- The lease of a call that still runs. KEYS: the lease. ARGV: owner, lease in milliseconds.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
