-- Where a call holds something, or held it when its lease ran out: the keys that `run_out` takes.
-- KEYS: its record.
local record = load_packed(KEYS[1])
return record and (record[1] == 'r' or record[1] == 'x') and record[9] or {}
