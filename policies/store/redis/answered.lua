-- These calls' settlements have been answered a while ago: nobody asks for them again but who
-- replays the last minute. KEYS: their records.
for k = 1, #KEYS do call('EXPIRE', KEYS[k], answered_seconds) end
return packed({1, now})
