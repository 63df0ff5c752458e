-- Where a call holds something: the keys that `run_out` takes. KEYS: its record.
local record = load_packed(KEYS[1])
return record and record[1] == 'r' and record[9] or {}
