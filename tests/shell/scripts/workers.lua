-- The same expression in every child of a process: nginx's workers, a preforking server's.
--   debugcall -p MASTER -ex "lua expr='(int)getpid()'" -x workers.lua
assert(expr, "lua expr='EXPRESSION' comes first")
local master = target.pid()
local children = io.open(string.format("/proc/%d/task/%d/children", master, master)):read("a")
for pid in children:gmatch("%d+") do
	local ok, value = pcall(function()
		assert(target.attach(pid), "cannot be attached to")
		return target.eval(expr)
	end)
	print(string.format("%-8s %s", pid, tostring(value)))
end
target.attach(master)
