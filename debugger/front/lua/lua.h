// SPDX-License-Identifier: MIT
// Scripts in Lua: a program of a person's that calls, looks and stops through the shell's session.
#ifndef DEBUGGER_FRONT_LUA_LUA_H
#define DEBUGGER_FRONT_LUA_LUA_H

#include "debugger/front/shell/shell.h"

#include <lauxlib.h>
#include <lua.h>

bool lua_is_script(const char *path); // by its name's end
// All of a shell's scripts share one state, with their globals.
int lua_run_file(struct shell *shell, const char *path);
int lua_run_text(struct shell *shell, const char *text);
void lua_end(struct shell *shell);

// ---- inside the room ----

struct shell *lua_shell(lua_State *lua);
struct dc_session *lua_session(lua_State *lua); // raises an error when there is none
// Becomes a Lua error: a table with code, message, state, where.
int lua_raise(lua_State *lua, struct dc_error *err);
int lua_complain(lua_State *lua, const char *format, ...) __attribute__((format(printf, 2, 3)));

// A number, a truth, nil, or a handle with fields. Takes the value.
void lua_push_value(lua_State *lua, struct dc_value *value);
// What a call takes as an argument; texts live as long as the stack's.
void lua_to_argument(lua_State *lua, int index, struct dc_argument *ret);
int lua_value_type(lua_State *lua);
int lua_value_address(lua_State *lua);
void lua_open_values(lua_State *lua);

extern const luaL_Reg lua_target[]; // the functions of "target"
void lua_push_frame(lua_State *lua, const struct dc_frame *frame);
// A callback may run for so long.
void lua_set_deadline(lua_State *lua, int64_t seconds); // 0: no longer

#endif
