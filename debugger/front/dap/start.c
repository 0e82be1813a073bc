// SPDX-License-Identifier: MIT
// The beginning of a conversation: what we can do, and whom we debug.
#include "debugger/front/dap/dap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- initialize ----

// What the rows let us announce.
static void add_capabilities(json_t *body, const char *words)
{
	while (words && *words) {
		size_t n = strcspn(words, " ");

		json_object_setn_new(body, words, n, json_true());
		words += n + strspn(words + n, " ");
	}
}

json_t *dap_capabilities(bool launched)
{
	json_t *body = json_object();

	for (size_t i = 0; i < nr_handlers; i++)
		add_capabilities(body, launched ? handlers[i].launched_capabilities
						: handlers[i].capabilities);
	return body;
}

struct dc_error *dap_initialize(struct request *request)
{
	struct dap *dap = request->dap;
	const json_t *arguments = request->arguments;
	const char *format = argument_text(request, arguments, "pathFormat", false);

	if (dap->initialized)
		request_complain(request, "'initialize' comes once");
	if (format && strcmp(format, "path") != 0)
		request_complain(request, "the only pathFormat is 'path'");
	dap->lines_from_0 = !argument_flag(request, arguments, "linesStartAt1", true);
	dap->columns_from_0 = !argument_flag(request, arguments, "columnsStartAt1", true);
	dap->knows_progress = argument_flag(request, arguments, "supportsProgressReporting", false);
	dap->knows_invalidated = argument_flag(request, arguments, "supportsInvalidatedEvent",
					       false);
	dap->knows_memory = argument_flag(request, arguments, "supportsMemoryEvent", false);
	dap->begins_sessions = argument_flag(request, arguments, "supportsStartDebuggingRequest",
					     false);
	dap->has_terminal = argument_flag(request, arguments, "supportsRunInTerminalRequest",
					  false);
	if (request->complaint)
		return NULL;
	dap->initialized = true;
	request->body = dap_capabilities(false);
	json_object_set_new(request->body, "exceptionBreakpointFilters", dap_exception_filters());
	return NULL;
}

// ---- attach ----

// Equal in as much time as it takes, so that a wrong one tells nothing of the right one.
static bool is_token(const char *given, const char *token)
{
	size_t n = strlen(token);
	unsigned char differs = !given || strlen(given) != n;

	for (size_t i = 0; !differs && i < n; i++)
		differs |= (unsigned char)(given[i] ^ token[i]);
	return !differs;
}

int dap_choice(struct request *request, const char *name, const char *const *words, size_t n,
	       int otherwise)
{
	const char *text = argument_text(request, request->arguments, name, false);

	for (size_t i = 0; text && i < n; i++) {
		if (!strcmp(text, words[i]))
			return (int)i;
	}
	if (text)
		request_complain(request, "%s: '%s' is to be %s, not '%.40s'", request->command,
				 name, words[n], text);
	return otherwise;
}

static void take_host(struct request *request)
{
	const char *host = argument_text(request, request->arguments, "host", false);
	const char *name;

	if (!host)
		return;
	for (int i = DC_HOST_AUTO + 1; (name = dc_host_name((enum dc_host)i)); i++) {
		if (strcmp(host, name) != 0)
			continue;
		request->dap->call.host = (enum dc_host)i;
		return;
	}
	request_complain(request, "%s: there is no host '%.40s'", request->command, host);
}

// A list of pairs, or an object.
static void take_source_map(struct request *request)
{
	struct dap *dap = request->dap;
	json_t *given = json_object_get(request->arguments, "sourceMap");
	json_t *map = json_array();
	bool good = json_is_array(given) || json_is_object(given) || !given || json_is_null(given);

	for (void *at = json_object_iter(given); at; at = json_object_iter_next(given, at))
		json_array_append_new(map, json_pack("[sO]", json_object_iter_key(at),
						     json_object_iter_value(at)));
	for (size_t i = 0; i < json_array_size(given); i++)
		json_array_append(map, json_array_get(given, i));
	for (size_t i = 0; i < json_array_size(map); i++) {
		const json_t *pair = json_array_get(map, i);

		if (json_array_size(pair) != 2 || !json_is_string(json_array_get(pair, 0)) ||
		    !json_is_string(json_array_get(pair, 1)))
			good = false;
	}
	if (!good)
		request_complain(request, "%s: 'sourceMap' is a list of [FROM, TO], or an object",
				 request->command);
	json_decref(dap->source_map);
	dap->source_map = map;
}

void dap_take_settings(struct request *request)
{
	static const char *const watch_words[] = { "never", "once-per-stop", "always",
						   "never, once-per-stop or always" };
	static const char *const repl_words[] = { "never", "always", "never or always" };
	struct dap *dap = request->dap;
	const json_t *arguments = request->arguments;

	if (dap->token && !is_token(argument_text(request, arguments, "token", false), dap->token))
		request_complain(request, "%s wants the 'token' that was set for this address",
				 request->command);
	dc_call_options_init(&dap->call);
	dap->call.timeout_ns = argument_duration(request, arguments, "callTimeout",
						 dap->call.timeout_ns);
	dap->call.wait_ns = argument_duration(request, arguments, "wait", dap->call.wait_ns);
	dap->call.all_stop = argument_flag(request, arguments, "allStop", false);
	dap->stop_on_entry = argument_flag(request, arguments, "stopOnAttach", false) ||
			     argument_flag(request, arguments, "stopOnEntry", false);

	dap->no_patch = argument_flag(request, arguments, "noPatch", false);
	dap->outlives = !argument_flag(request, arguments, "killOnExit", true);
	dap->follows_children = argument_flag(request, arguments, "followChildren", false);
	if (dap->follows_children && !dap->begins_sessions)
		request_complain(request, "followChildren: the client begins no sessions");

	const char *cwd = argument_text(request, arguments, "cwd", false);

	snprintf(dap->cwd, sizeof(dap->cwd), "%s", cwd ?: "");
	take_host(request);
	dap->watch_calls = (enum watch_calls)dap_choice(request, "watchCalls", watch_words, 3,
							WATCH_NEVER);
	dap->repl_calls = dap_choice(request, "replCalls", repl_words, 2, 1);
	take_source_map(request);
	json_decref(dap->configuration);
	dap->configuration = json_incref(request->arguments);
}

// The process: a number, a number as text (what VS Code's picker gives), or a name.
static struct dc_error *find_process(struct request *request, pid_t *ret)
{
	static const char *const names[] = { "pid", "processId", "program", "name" };
	char number[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const json_t *found = json_object_get(request->arguments, names[i]);
		const char *text = json_string_value(found);

		// Every configuration of VS Code has a name of its own.
		if (json_is_integer(found)) {
			snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
				 json_integer_value(found));
			text = number;
		}
		if (!text)
			continue;
		return dc_find_process(i >= 2 && strrchr(text, '/') ? strrchr(text, '/') + 1 : text,
				       ret);
	}
	request_complain(request, "%s wants the process: 'pid', or 'program'", request->command);
	return NULL;
}

// What is asked of the session once, before anybody waits.
struct dc_error *dap_look_around(struct request *request, struct dc_session *session)
{
	struct dap *dap = request->dap;
	struct dc_check check;
	struct dc_error *err = dc_check(session, NULL, NULL, &check);

	if (err)
		return err;
	dap->pid = check.pid;
	snprintf(dap->name, sizeof(dap->name), "%s", check.program);
	for (size_t i = 0; check.hosts[i]; i++)
		dap->has_goroutines |= !strcmp(check.hosts[i], "gort");
	dc_check_deinit(&check);
	return dap_note_modules(dap, session);
}

void dap_tell_process(struct request *request, const char *method)
{
	const struct dap *dap = request->dap;

	request_tell(request, "process",
		     json_pack("{so* sI sb ss}", "name", json_text(dap->name), "systemProcessId",
			       (json_int_t)dap->pid, "isLocalProcess", 1, "startMethod", method));
}

static struct dc_error *begin(struct request *request, struct dc_session *session)
{
	struct dc_error *err = dap_look_around(request, session);

	// Children are born to whoever follows their parent. One stands from now on, until the client
	// has said what it is to stop at.
	if (!err && (request->dap->is_child || request->dap->follows_children))
		err = dap_take_control(request, session);
	if (err)
		return err;
	dap_tell_process(request, "attach");
	request_tell(request, "initialized", NULL);
	return NULL;
}

struct dc_error *dap_attach(struct request *request)
{
	static const struct opening_steps steps = { find_process, begin };

	if (request->dap->session)
		request_complain(request, "there is a process already: one conversation, one "
					  "process");
	dap_take_settings(request);
	request->dap->is_child = argument_flag(request, request->arguments, "isChild", false);
	if (!request->complaint)
		dap_open(request, &steps);
	return NULL;
}

// ---- configurationDone ----

void dap_set_off(struct dap *dap)
{
	if (dap->stop_on_entry) {
		dap_await_pause(dap, dap->pid, "entry");
		dap_begin(dap, dap_pause, 0, NULL);
	} else if (dap->launched.pid || dap->is_child) {
		dap_begin(dap, dap_go, 0, NULL);
	}
}

struct dc_error *dap_configuration_done(struct request *request)
{
	struct dap *dap = request->dap;

	dap->configured = true;
	request->body = json_object();
	dap_set_off(dap);
	return NULL;
}
