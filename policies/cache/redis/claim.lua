-- Who asks the provider for a reply that several replicas may want. KEYS: the lease, the entry that
-- the reply will be. ARGV: owner, the call's id, lease in milliseconds, 1: an entry that is there
-- does not do. Who is not granted the lease is counted among those that wait.
local call = redis.call
if ARGV[4] ~= '1' and call('EXISTS', KEYS[2]) == 1 then return {'stored'} end
local known = call('HMGET', KEYS[1], 'owner', 'leader')
if known[1] then
  call('HINCRBY', KEYS[1], 'waiting', 1)
  return {'running', known[1], known[2]}
end
call('HSET', KEYS[1], 'owner', ARGV[1], 'leader', ARGV[2], 'waiting', 0)
call('PEXPIRE', KEYS[1], ARGV[3])
return {'granted'}
