-- Another log level for a while, and back whatever happens.
--   debugcall -p PID -ex "lua variable, level, seconds = 'log_level', 4, 10" -x loglevel.lua
assert(variable and level, "lua variable, level = 'NAME', NUMBER comes first")
local before = target.eval(variable)
target.eval(variable .. " = " .. level)
print(variable .. ": " .. before .. " -> " .. target.eval(variable))
local ok, err = pcall(target.sleep, seconds or 10)
target.eval(variable .. " = " .. before)
print(variable .. ": back to " .. target.eval(variable))
if not ok then error(err) end
