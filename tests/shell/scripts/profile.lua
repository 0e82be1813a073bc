-- A profile by stacks that are taken while the process runs: the functions that most of them are in.
--   debugcall -p PID -ex "lua rounds=50" -x profile.lua
local inside, top, total = {}, {}, 0
for _ = 1, rounds or 20 do
	for _, stack in ipairs(target.stacks()) do
		local seen = {}
		if not stack.wait and stack.frames[1] then
			total = total + 1
			local name = stack.frames[1].func or "?"
			top[name] = (top[name] or 0) + 1
			for _, frame in ipairs(stack.frames) do
				local its = frame.func or "?"
				if not seen[its] then inside[its] = (inside[its] or 0) + 1 end
				seen[its] = true
			end
		end
	end
	target.sleep(0.02)
end
local names = {}
for name in pairs(inside) do names[#names + 1] = name end
table.sort(names, function(a, b) return inside[a] > inside[b] or inside[a] == inside[b] and a < b end)
print(total .. " stacks of threads that ran")
for i = 1, math.min(#names, 15) do
	local name = names[i]
	print(string.format("%5.1f%% %5.1f%%  %s", 100 * inside[name] / total, 100 * (top[name] or 0) / total, name))
end
