-- Who calls a function, and how often, for some seconds; no code is changed, one thread waits for a moment at a hit.
--   debugcall -p PID -ex "lua place, seconds = 'cache_get', 5" -x callers.lua
assert(place, "lua place = 'FUNCTION' comes first")
local callers, hits = {}, 0
target.breakpoint(place, function(stop)
	hits = hits + 1
	local frames = target.frames(stop.thread)
	local caller = frames[2] and (frames[2].func or string.format("0x%x", frames[2].pc)) or "?"
	callers[caller] = (callers[caller] or 0) + 1
end)
target.run(seconds or 5)
print(hits .. " calls of " .. place)
for caller, n in pairs(callers) do print(string.format("%8d  %s", n, caller)) end
