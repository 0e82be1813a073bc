-- A function's result (or any number) every second, as a small chart.
--   debugcall -p PID -ex "lua expr='queue_length()'" -x chart.lua
-- Variables: expr, seconds (10), step (1), width (50).
assert(expr, "lua expr='EXPRESSION' comes first")
local most = 1
for i = 1, (seconds or 10) / (step or 1) do
	local n = target.eval(expr)
	n = n == true and 1 or n or 0
	most = math.max(most, n)
	print(string.format("%12g %s", n, string.rep("#", math.floor(n / most * (width or 50)))))
	target.sleep(step or 1)
end
