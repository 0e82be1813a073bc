-- What glibc's allocator holds, of all arenas together, and how many of those there are.
--   debugcall -p PID -x malloc.lua
local m = target.call("mallinfo2")
print(string.format("in use      %14d bytes", m.uordblks))
print(string.format("free        %14d bytes in %d chunks", m.fordblks, m.ordblks))
print(string.format("of mmap     %14d bytes in %d blocks", m.hblkhd, m.hblks))
print(string.format("from system %14d bytes", m.arena))
-- The arenas are a ring, where libc's own debug information is there to tell.
local ok, arena = pcall(target.eval, "&main_arena")
if ok then
	local first, at, n = target.address(arena), arena, 0
	repeat
		n = n + 1
		print(string.format("arena %-2d    %14d bytes from the system, %d threads", n, at.system_mem, at.attached_threads))
		at = at.next
	until target.address(at) == first or n > 1000
end
