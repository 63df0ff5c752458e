-- A worker stands behind these data: whatever it wrote in the last minute is in them. After a
-- failover nobody may spend until all workers that were heard of lately do.
-- KEYS: the workers. Numbers: how long it is heard of; 1: whether all stand behind them is asked.
-- ARGV[4]: its name; ARGV[5]: whose data these are.
-- Answers: 1 they do, or nobody asked, 0 they do not; then now.
local ends, asks, ready = now + take(), take() == 1, 1
call('HSET', KEYS[1], ARGV[4], string.format('%.0f ', ends) .. ARGV[5])
if asks then
  local all = call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local heard_until, data = string.match(all[i + 1], '^(%d+) (.*)$')
    if not heard_until or tonumber(heard_until) <= now then
      call('HDEL', KEYS[1], all[i])
    elseif data ~= ARGV[5] then
      ready = 0
    end
  end
end
return packed({ready, now})
