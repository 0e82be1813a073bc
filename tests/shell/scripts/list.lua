-- Walks a linked list and prints its members.
--   debugcall -p PID -ex "lua head, link = 'queue.first', 'next'" -x list.lua
assert(head, "lua head = 'EXPRESSION' comes first")
local at, n = target.eval(head), 0
while target.address(at) ~= 0 and n < (most or 1000) do
	print(string.format("%4d  %s", n, tostring(target.eval(string.format("*(%s)%d", target.type(at), target.address(at))))))
	at, n = at[link or "next"], n + 1
end
print(n .. " members")
