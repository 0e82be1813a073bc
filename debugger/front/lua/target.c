// SPDX-License-Identifier: MIT
// The table "target": what a script in Lua may do with the process.
#include "debugger/front/lua/lua.h"

#include "debugger/front/interrupt.h"
#include "debugger/front/shell/children.h"
#include "debugger/front/shell/running.h"
#include "debugger/front/shell/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int eval(lua_State *lua)
{
	struct dc_session *session = lua_session(lua);
	const char *text = luaL_checkstring(lua, 1);
	struct dc_result result;

	(void)session;

	struct dc_error *err = shell_evaluate(lua_shell(lua), text, &result);

	if (err)
		return lua_raise(lua, err);

	struct dc_value *value = result.value;

	result.value = NULL;
	dc_result_deinit(&result);
	lua_push_value(lua, value);
	return 1;
}

static int call(lua_State *lua)
{
	enum { ARGUMENTS_MAX = 32 };
	struct dc_session *session = lua_session(lua);
	struct shell *shell = lua_shell(lua);
	const char *function = luaL_checkstring(lua, 1);
	struct dc_argument args[ARGUMENTS_MAX];
	struct dc_call_options options = shell->usual.call;
	struct dc_result result;
	int n = lua_gettop(lua) - 1;

	if (n > ARGUMENTS_MAX)
		return lua_complain(lua, "more than %d arguments", ARGUMENTS_MAX);
	for (int i = 0; i < n; i++)
		lua_to_argument(lua, i + 2, &args[i]);
	options.no_number = true;

	struct dc_error *err = dc_call(session, function, args, (size_t)n, &shell->usual.scope,
				       &options, &result);

	if (err)
		return lua_raise(lua, err);

	struct dc_value *value = result.value;

	result.value = NULL;
	dc_result_deinit(&result);
	lua_push_value(lua, value);
	return 1;
}

// target.borrow(F, ...): F(...), all of whose calls share one thread, which is back when F has ended
// by an error too. A call borrows one for itself alone otherwise.
static int borrow(lua_State *lua)
{
	struct dc_session *session = lua_session(lua);
	struct shell *shell = lua_shell(lua);
	struct dc_departure departure;
	struct dc_error *err;

	luaL_checktype(lua, 1, LUA_TFUNCTION);
	err = dc_attach(session, &shell->usual.scope, &shell->usual.call);
	if (err)
		return lua_raise(lua, err);

	int failed = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);

	err = dc_detach(session, &departure);
	if (failed) {
		dc_error_destroy(err);
		return lua_error(lua);
	}
	return err ? lua_raise(lua, err) : lua_gettop(lua);
}

static void set_text(lua_State *lua, const char *name, const char *text)
{
	lua_pushstring(lua, text);
	lua_setfield(lua, -2, name);
}

static void set_integer(lua_State *lua, const char *name, int64_t integer)
{
	lua_pushinteger(lua, integer);
	lua_setfield(lua, -2, name);
}

void lua_push_frame(lua_State *lua, const struct dc_frame *frame)
{
	lua_createtable(lua, 0, 5);
	set_integer(lua, "pc", (int64_t)frame->pc);
	set_text(lua, "func", frame->function);
	set_text(lua, "module", frame->module);
	set_text(lua, "file", frame->file);
	set_integer(lua, "line", frame->line);
}

static int threads(lua_State *lua)
{
	struct dc_check check;
	struct dc_error *err = dc_check(lua_session(lua), NULL, &lua_shell(lua)->usual.call,
					&check);

	if (err)
		return lua_raise(lua, err);
	lua_createtable(lua, (int)check.nr_threads, 0);
	for (size_t i = 0; i < check.nr_threads; i++) {
		const struct dc_check_thread *thread = &check.threads[i];

		lua_createtable(lua, 0, 4);
		set_integer(lua, "id", thread->tid);
		set_text(lua, "name", thread->name);
		set_text(lua, "state", thread->state);
		lua_pushboolean(lua, thread->borrowable);
		lua_setfield(lua, -2, "borrowable");
		lua_rawseti(lua, -2, (lua_Integer)i + 1);
	}
	dc_check_deinit(&check);
	return 1;
}

static bool add_goroutine(const struct dc_goroutine *goroutine, void *arg)
{
	lua_State *lua = arg;

	lua_createtable(lua, 0, 6);
	set_integer(lua, "id", (int64_t)goroutine->id);
	set_text(lua, "status", goroutine->status);
	set_text(lua, "wait", goroutine->wait_reason);
	set_text(lua, "label", goroutine->label);
	set_integer(lua, "thread", goroutine->thread);
	lua_push_frame(lua, &goroutine->where);
	lua_setfield(lua, -2, "where");
	lua_rawseti(lua, -2, (lua_Integer)lua_rawlen(lua, -2) + 1);
	return true;
}

static int goroutines(lua_State *lua)
{
	struct dc_session *session = lua_session(lua);

	lua_newtable(lua);

	struct dc_error *err = dc_goroutines(session, add_goroutine, lua);

	return err ? lua_raise(lua, err) : 1;
}

static int stacks(lua_State *lua)
{
	const struct dc_stacks_options options = { .thread = (pid_t)luaL_optinteger(lua, 1, 0) };
	struct dc_stacks all;
	struct dc_error *err = dc_stacks(lua_session(lua), &options, &all);

	if (err)
		return lua_raise(lua, err);
	lua_createtable(lua, (int)all.nr_stacks, 0);
	for (size_t i = 0; i < all.nr_stacks; i++) {
		const struct dc_stack *stack = &all.stacks[i];

		lua_createtable(lua, 0, 6);
		set_integer(lua, "thread", stack->thread);
		set_integer(lua, "goroutine", (int64_t)stack->goroutine);
		set_text(lua, "name", stack->name);
		set_text(lua, "wait", stack->wait);
		lua_createtable(lua, (int)stack->nr_frames, 0);
		for (size_t k = 0; k < stack->nr_frames; k++) {
			lua_push_frame(lua, &stack->frames[k].at);
			lua_rawseti(lua, -2, (lua_Integer)k + 1);
		}
		lua_setfield(lua, -2, "frames");
		lua_rawseti(lua, -2, (lua_Integer)i + 1);
	}
	dc_stacks_deinit(&all);
	return 1;
}

// Of a thread that stands, as it is.
static int frames(lua_State *lua)
{
	struct dc_stack stack;
	struct dc_error *err = dc_frames(lua_session(lua), (pid_t)luaL_checkinteger(lua, 1),
					 &stack);

	if (err)
		return lua_raise(lua, err);
	lua_createtable(lua, (int)stack.nr_frames, 0);
	for (size_t i = 0; i < stack.nr_frames; i++) {
		lua_push_frame(lua, &stack.frames[i].at);
		lua_rawseti(lua, -2, (lua_Integer)i + 1);
	}
	dc_stack_deinit(&stack);
	return 1;
}

static uint64_t to_address(lua_State *lua, int index)
{
	lua_pushcfunction(lua, lua_value_address);
	lua_pushvalue(lua, index);
	lua_call(lua, 1, 1);

	uint64_t addr = (uint64_t)luaL_checkinteger(lua, -1);

	lua_pop(lua, 1);
	return addr;
}

static int read_bytes(lua_State *lua)
{
	enum { BYTES_MAX = 64 << 20 };
	uint64_t addr = to_address(lua, 1);
	lua_Integer n = luaL_checkinteger(lua, 2);
	size_t got = 0;
	luaL_Buffer buffer;

	if (n < 0 || n > BYTES_MAX)
		return lua_complain(lua, "%lld is no number of bytes", (long long)n);

	struct dc_session *session = lua_session(lua);
	char *bytes = luaL_buffinitsize(lua, &buffer, (size_t)n);
	struct dc_error *err = dc_read_memory(session, addr, bytes, (size_t)n, &got);

	luaL_pushresultsize(&buffer, got);
	return err ? lua_raise(lua, err) : 1;
}

// The text that a pointer points to, up to its NUL.
static int read_string(lua_State *lua)
{
	enum { STEP = 256, TEXT_MAX = 1 << 20 };
	uint64_t addr = to_address(lua, 1);
	struct dc_session *session = lua_session(lua);
	luaL_Buffer buffer;
	char bytes[STEP];

	luaL_buffinit(lua, &buffer);
	for (size_t n = 0; n < TEXT_MAX;) {
		size_t got = 0;
		struct dc_error *err = dc_read_memory(session, addr + n, bytes, STEP, &got);

		if (err)
			return lua_raise(lua, err);

		const char *end = memchr(bytes, '\0', got);

		luaL_addlstring(&buffer, bytes, end ? (size_t)(end - bytes) : got);
		n += got;
		if (end)
			break;
	}
	luaL_pushresult(&buffer);
	return 1;
}

static int command(lua_State *lua)
{
	struct shell *shell = lua_shell(lua);
	int status = shell_obey(shell, luaL_checkstring(lua, 1), false);

	interrupt_session(shell->session);
	lua_pushinteger(lua, status);
	return 1;
}

static int attach(lua_State *lua)
{
	struct shell *shell = lua_shell(lua);
	const char *who = luaL_tolstring(lua, 1, NULL);

	lua_pushboolean(lua, !shell_attach(shell, who));
	interrupt_session(shell->session);
	return 1;
}

static int pid(lua_State *lua)
{
	lua_pushinteger(lua, lua_shell(lua)->pid);
	return 1;
}

static int pause_for(lua_State *lua)
{
	double seconds = luaL_checknumber(lua, 1);
	struct timespec left = { .tv_sec = (time_t)seconds,
				 .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };

	if (!(seconds >= 0) || seconds > 1e9)
		return lua_complain(lua, "sleep wants seconds");
	while (nanosleep(&left, &left) && errno == EINTR && !interrupt_came())
		;
	return 0;
}

// ---- stops ----------------------------------------------------------------------------------------

static const char callbacks[] = "debugcall callbacks";

// target.breakpoint(PLACE, function(stop) … end, CONDITION): its number.
static int breakpoint(lua_State *lua)
{
	struct dc_session *session = lua_session(lua);
	struct dc_breakpoint_options options = { .place = luaL_checkstring(lua, 1),
						 .condition = luaL_optstring(lua, 3, NULL) };
	unsigned number;

	luaL_checktype(lua, 2, LUA_TFUNCTION);

	struct dc_error *err = shell_control(lua_shell(lua));

	if (!err)
		err = dc_breakpoint_set(session, &options, &number);
	if (err)
		return lua_raise(lua, err);
	luaL_getsubtable(lua, LUA_REGISTRYINDEX, callbacks);
	lua_pushvalue(lua, 2);
	lua_rawseti(lua, -2, number);
	lua_pushinteger(lua, number);
	return 1;
}

static int delete_breakpoint(lua_State *lua)
{
	struct dc_error *err = dc_breakpoint_delete(lua_session(lua),
						    (unsigned)luaL_checkinteger(lua, 1));

	return err ? lua_raise(lua, err) : 0;
}

static void push_stop(lua_State *lua, const struct dc_stop *stop)
{
	lua_createtable(lua, 0, 4);
	set_integer(lua, "thread", stop->thread);
	set_integer(lua, "breakpoint", stop->breakpoint);
	set_integer(lua, "signal", stop->signo);
	lua_push_frame(lua, &stop->frame);
	lua_setfield(lua, -2, "frame");
}

// True: the callback wants the thread to stand. Its errors let the thread go on, and are told.
static bool call_back(lua_State *lua, const struct dc_stop *stop)
{
	enum { CALLBACK_SECONDS = 5 };
	struct shell *shell = lua_shell(lua);
	struct dc_scope before = shell->usual.scope;
	bool stands;

	luaL_getsubtable(lua, LUA_REGISTRYINDEX, callbacks);
	lua_rawgeti(lua, -1, stop->breakpoint);
	if (!lua_isfunction(lua, -1)) {
		lua_pop(lua, 2);
		return true;
	}
	// What it evaluates is of the frame that stands.
	shell->usual.scope = (struct dc_scope){ .thread = stop->thread, .frame = "0" };
	push_stop(lua, stop);
	lua_set_deadline(lua, CALLBACK_SECONDS);

	int failed = lua_pcall(lua, 1, 1, 0);

	lua_set_deadline(lua, 0);
	shell->usual.scope = before;
	if (failed) {
		dc_error_destroy(dc_continue(shell->session, stop->thread));
		lua_error(lua);
	}
	stands = lua_toboolean(lua, -1);
	lua_pop(lua, 2);
	return stands;
}

// target.run(SECONDS): breakpoints' callbacks are called; one that returns true ends it, and its
// thread stands. The stop; nil: the time is up, or the process ended.
static int run(lua_State *lua)
{
	struct dc_session *session = lua_session(lua);
	double seconds = luaL_optnumber(lua, 1, -1);
	struct timespec now, until;
	struct dc_event event;

	clock_gettime(CLOCK_MONOTONIC, &until);
	for (;;) {
		int64_t left = -1;

		clock_gettime(CLOCK_MONOTONIC, &now);
		if (seconds >= 0)
			left = (int64_t)((seconds - (double)(now.tv_sec - until.tv_sec)) * 1e9) -
			       (now.tv_nsec - until.tv_nsec);
		if (seconds >= 0 && left < 0)
			left = 0;
		if (!dc_wait_event(session, left, &event)) {
			lua_pushnil(lua);
			return 1;
		}
		if (event.kind == DC_EVENT_TARGET_ENDED) {
			lua_pushnil(lua);
			return 1;
		}
		if (event.kind == DC_EVENT_CHILD)
			children_follow(lua_shell(lua), &event, true);
		if (event.kind != DC_EVENT_STOPPED || event.stop.reason == DC_STOP_ATTACHED)
			continue;
		if (!event.stop.breakpoint || call_back(lua, &event.stop)) {
			push_stop(lua, &event.stop);
			return 1;
		}

		struct dc_error *err = dc_continue(session, event.stop.thread);

		if (err)
			return lua_raise(lua, err);
	}
}

static int go_on(lua_State *lua)
{
	struct dc_error *err = dc_continue(lua_session(lua), (pid_t)luaL_optinteger(lua, 1, 0));

	return err ? lua_raise(lua, err) : 0;
}

const luaL_Reg lua_target[] = {
	{ "eval", eval },
	{ "call", call },
	{ "borrow", borrow },
	{ "type", lua_value_type },
	{ "address", lua_value_address },
	{ "read", read_bytes },
	{ "string", read_string },
	{ "threads", threads },
	{ "goroutines", goroutines },
	{ "stacks", stacks },
	{ "frames", frames },
	{ "command", command },
	{ "attach", attach },
	{ "pid", pid },
	{ "sleep", pause_for },
	{ "breakpoint", breakpoint },
	{ "delete", delete_breakpoint },
	{ "run", run },
	{ "continue", go_on },
	{ NULL, NULL },
};
