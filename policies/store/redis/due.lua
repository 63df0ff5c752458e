-- The calls whose leases have run out, the oldest first. KEYS: leases. Numbers: at most.
return call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, take())
