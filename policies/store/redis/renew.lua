-- Leases of running calls go on. KEYS: leases. Numbers: lease. ARGV[4] and on: their records.
-- Those that ran out already stay as they are.
local ends = now + take()
for i = 4, #ARGV do
  local known = call('ZSCORE', KEYS[1], ARGV[i])
  if known and tonumber(known) > now then call('ZADD', KEYS[1], ends, ARGV[i]) end
end
return packed({1, now})
