-- Has the program write what its stdio holds back, and its coverage, if it collects any.
--   debugcall -p PID -x flush.lua
print("fflush: " .. target.call("fflush", nil))
local ok = pcall(target.call, "__gcov_dump")
print(ok and "coverage is written" or "it collects no coverage")
