-- What the program itself sees in its environment now, not what it was started with.
--   debugcall -p PID -x environment.lua
local at, n = target.eval("*(char ***)&environ"), 0
while true do
	local text = target.eval(string.format("(unsigned long)((char **)%d)[%d]", target.address(at), n))
	if text == 0 then break end
	print(target.string(text))
	n = n + 1
end
