-- Where a call holds something, or held it when its lease ran out: the keys that `run_out` takes.
-- KEYS: its record.
local record = call('GET', KEYS[1])
local what = record and sub(record, 1, 1)
if what ~= 'r' and what ~= 'x' then return {} end
local parts = {unpacked(record_format, record)}
return cmsgpack.unpack(sub(record, parts[#parts]))
