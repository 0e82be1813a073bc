-- A leak hunt by two snapshots: what grew meanwhile, and which mappings did.
--   debugcall -p PID -ex "lua seconds=30" -x leak.lua
local function snapshot()
	local maps = {}
	for line in io.lines("/proc/" .. target.pid() .. "/smaps") do
		local name = line:match("^%x+%-%x+ %S+ %S+ %S+ %S+%s*(.*)")
		if name then current = name ~= "" and name or "(anonymous)" end
		local kb = line:match("^Rss:%s+(%d+)")
		if kb then maps[current] = (maps[current] or 0) + kb end
	end
	return target.call("mallinfo2").uordblks, maps
end
local used, maps = snapshot()
target.sleep(seconds or 10)
local later, grown = snapshot()
print(string.format("malloc: %+d bytes in use", later - used))
for name, kb in pairs(grown) do
	local more = kb - (maps[name] or 0)
	if more > 0 then print(string.format("%+8d kB  %s", more, name)) end
end
