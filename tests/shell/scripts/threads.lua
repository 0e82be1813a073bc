-- How many threads wait in what, and of which names they are.
--   debugcall -p PID -x threads.lua
local waits = {}
for _, stack in ipairs(target.stacks()) do
	local wait = stack.wait or "running"
	waits[wait] = waits[wait] or { n = 0, names = {} }
	waits[wait].n = waits[wait].n + 1
	waits[wait].names[stack.name] = true
end
for wait, each in pairs(waits) do
	local names = {}
	for name in pairs(each.names) do names[#names + 1] = name end
	table.sort(names)
	print(string.format("%6d  %-24s %s", each.n, wait, table.concat(names, " ")))
end
