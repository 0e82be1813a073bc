// SPDX-License-Identifier: MIT
// The Lua state of a shell: how scripts are run, interrupted, and how their errors are told.
#include "debugger/front/lua/lua.h"

#include "debugger/front/interrupt.h"
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"

#include <lualib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOOK_STEPS = 10000 };

struct extra {
	struct shell *shell;
	int64_t deadline; // of a callback, CLOCK_MONOTONIC seconds; 0: none
};

// Every coroutine has the pointer of the state that it is of.
static struct extra *extra_of(lua_State *lua)
{
	return *(struct extra **)lua_getextraspace(lua);
}

struct shell *lua_shell(lua_State *lua)
{
	return extra_of(lua)->shell;
}

struct dc_session *lua_session(lua_State *lua)
{
	struct dc_session *session = lua_shell(lua)->session;

	if (!session)
		lua_complain(lua, "there is no process");
	return session;
}

// ---- errors ---------------------------------------------------------------------------------------

static int error_text(lua_State *lua)
{
	lua_getfield(lua, 1, "message");
	return 1;
}

static void push_error(lua_State *lua, enum dc_code code, const char *message, const char *state)
{
	lua_createtable(lua, 0, 4);
	lua_pushstring(lua, dc_code_name(code));
	lua_setfield(lua, -2, "code");
	lua_pushinteger(lua, dc_code_status(code));
	lua_setfield(lua, -2, "status");
	lua_pushstring(lua, message);
	lua_setfield(lua, -2, "message");
	lua_pushstring(lua, state);
	lua_setfield(lua, -2, "state");
	luaL_where(lua, 1);
	lua_setfield(lua, -2, "where");
	if (luaL_newmetatable(lua, "debugcall error")) {
		lua_pushcfunction(lua, error_text);
		lua_setfield(lua, -2, "__tostring");
	}
	lua_setmetatable(lua, -2);
}

int lua_raise(lua_State *lua, struct dc_error *err)
{
	push_error(lua, err->code, err->message, dc_state_text(err->state));
	dc_error_destroy(err);
	return lua_error(lua);
}

int lua_complain(lua_State *lua, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	push_error(lua, DC_USAGE, message, dc_state_text(DC_STATE_UNTOUCHED));
	return lua_error(lua);
}

static const char *field(lua_State *lua, int index, const char *name)
{
	const char *text;

	lua_getfield(lua, index, name);
	text = lua_tostring(lua, -1);
	lua_pop(lua, 1); // the table keeps it
	return text ? text : "";
}

// "script.lua:3: message" is told as of that place.
static int report(struct shell *shell, lua_State *lua)
{
	const char *before = shell->out->place, *text, *message;
	char place[256] = "";
	int status = 1;

	if (lua_istable(lua, -1)) {
		lua_getfield(lua, -1, "status");
		status = (int)lua_tointeger(lua, -1);
		lua_pop(lua, 1);
		text = field(lua, -1, "where");
		message = field(lua, -1, "message");
	} else {
		text = lua_tostring(lua, -1);
		text = text ? text : "an error that is no text";
		message = strstr(text, ": ");
		message = message ? message + 2 : text;
	}
	if (message != text && strchr(text, ':'))
		snprintf(place, sizeof(place), "%.*s", (int)(strstr(text, ": ") - text), text);
	shell->out->place = *place ? place : before;
	report_message(shell->out, status == dc_code_status(DC_CANCELLED) ? DC_CANCELLED : DC_VALUE,
		       "%s", message);
	shell->out->place = before;
	return status ? status : 1;
}

// ---- running --------------------------------------------------------------------------------------

void lua_set_deadline(lua_State *lua, int64_t seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	extra_of(lua)->deadline = seconds ? now.tv_sec + seconds : 0;
}

static void look_up(lua_State *lua, lua_Debug *debug)
{
	struct timespec now;

	(void)debug;
	if (interrupt_came()) {
		push_error(lua, DC_CANCELLED, "the script was interrupted", "");
		lua_error(lua);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (extra_of(lua)->deadline && now.tv_sec > extra_of(lua)->deadline) {
		extra_of(lua)->deadline = 0;
		lua_complain(lua, "the callback did not end in time");
	}
}

// A target's text must not command the terminal: print() shows control characters as '?', which
// io.write() leaves alone.
static int print(lua_State *lua)
{
	struct records *out = lua_shell(lua)->out;
	int n = lua_gettop(lua);
	size_t length;

	luaL_checkstack(lua, 2 * n + 4, NULL);
	for (int i = 1; i <= n; i++) {
		if (i > 1)
			lua_pushliteral(lua, "\t");
		luaL_tolstring(lua, i, NULL);
	}
	lua_pushliteral(lua, "\n");
	lua_concat(lua, lua_gettop(lua) - n);

	const char *text = lua_tolstring(lua, -1, &length);
	char *shown = lua_newuserdatauv(lua, length + 1, 0);

	for (size_t i = 0; i <= length; i++) {
		unsigned char c = (unsigned char)text[i];
		bool is_control = (c < ' ' && c != '\n' && c != '\t') || c == 0x7f;

		shown[i] = is_control && i < length ? '?' : (char)c;
	}
	record_begin(out, "echo");
	record_text(out, "text", shown);
	record_end(out);
	fflush(stdout);
	return 0;
}

static lua_State *state_of(struct shell *shell)
{
	struct extra *extra;
	lua_State *lua;

	if (shell->lua)
		return shell->lua;
	extra = calloc(1, sizeof(*extra));
	lua = extra ? luaL_newstate() : NULL;
	if (!lua) {
		free(extra);
		return NULL;
	}
	extra->shell = shell;
	*(struct extra **)lua_getextraspace(lua) = extra;
	luaL_openlibs(lua);
	lua_open_values(lua);
	lua_newtable(lua);
	luaL_setfuncs(lua, lua_target, 0);
	lua_setglobal(lua, "target");
	lua_pushcfunction(lua, print);
	lua_setglobal(lua, "print");
	lua_sethook(lua, look_up, LUA_MASKCOUNT, HOOK_STEPS);
	shell->lua = lua;
	return lua;
}

static int run(struct shell *shell, lua_State *lua, int loaded)
{
	struct dc_session *before = shell->session;
	int status = 0;

	interrupt_session(shell->session);
	if (loaded != LUA_OK || lua_pcall(lua, 0, 0, 0) != LUA_OK) {
		status = report(shell, lua);
		lua_pop(lua, 1);
	}
	if (shell->session != before)
		interrupt_session(NULL);
	fflush(stdout);
	return status;
}

bool lua_is_script(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && !strcmp(path + n - 4, ".lua");
}

int lua_run_file(struct shell *shell, const char *path)
{
	lua_State *lua = state_of(shell);

	return lua ? run(shell, lua, luaL_loadfilex(lua, path, "t")) : report_memory(shell->out);
}

int lua_run_text(struct shell *shell, const char *text)
{
	lua_State *lua = state_of(shell);

	return lua ? run(shell, lua, luaL_loadbufferx(lua, text, strlen(text), "=lua", "t"))
		   : report_memory(shell->out);
}

void lua_end(struct shell *shell)
{
	struct extra *extra;

	if (!shell->lua)
		return;
	extra = extra_of(shell->lua);
	lua_close(shell->lua);
	free(extra);
	shell->lua = NULL;
}

int command_lua(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	(void)out;
	return lua_run_text(words->shell, words->operands[0]);
}
