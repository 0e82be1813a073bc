// SPDX-License-Identifier: MIT
// The beginning and the end of a conversation: what we can do, whom we debug, and how we let go.
#include "debugger/front/dap/dap.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	if (request->complaint)
		return NULL;
	dap->initialized = true;
	request->body = json_object();
	for (size_t i = 0; i < nr_handlers; i++)
		add_capabilities(request->body, handlers[i].capabilities);
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

static int argument_choice(struct request *request, const char *name, const char *const *words,
			   size_t n, int otherwise)
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

// What attach and launch have in common.
static void take_settings(struct request *request)
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

	const char *cwd = argument_text(request, arguments, "cwd", false);

	snprintf(dap->cwd, sizeof(dap->cwd), "%s", cwd ?: "");
	take_host(request);
	dap->watch_calls = (enum watch_calls)argument_choice(request, "watchCalls", watch_words, 3,
							     WATCH_NEVER);
	dap->repl_calls = argument_choice(request, "replCalls", repl_words, 2, 1);
	take_source_map(request);
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
static struct dc_error *look_around(struct dap *dap)
{
	struct dc_check check;
	struct dc_error *err = dc_check(dap->session, NULL, NULL, &check);

	if (err)
		return err;
	dap->pid = check.pid;
	snprintf(dap->name, sizeof(dap->name), "%s", check.program);
	for (size_t i = 0; check.hosts[i]; i++)
		dap->has_goroutines |= !strcmp(check.hosts[i], "gort");
	dc_check_deinit(&check);
	return NULL;
}

static struct dc_error *open_target(struct request *request, const struct dc_options *options)
{
	struct dap *dap = request->dap;
	struct dc_error *err;

	dap->references = references_create();
	dap->watched = json_object();
	if (!dap->references || !dap->watched) {
		request_complain(request, "out of memory");
		return NULL;
	}
	err = dc_open(options, &dap->session);
	if (!err)
		dap->event_fd = dc_event_fd(dap->session);
	return err;
}

static void tell_beginning(struct request *request, const char *method)
{
	const struct dap *dap = request->dap;

	request_tell(request, "process",
		     json_pack("{so* sI sb ss}", "name", json_text(dap->name), "systemProcessId",
			       (json_int_t)dap->pid, "isLocalProcess", 1, "startMethod", method));
	request_tell(request, "initialized", NULL);
}

struct dc_error *dap_attach(struct request *request)
{
	struct dap *dap = request->dap;
	struct dc_options options;
	struct dc_error *err;

	if (dap->session)
		request_complain(request, "there is a process already: one conversation, one "
					  "process");
	take_settings(request);
	if (request->complaint)
		return NULL;
	dc_options_init(&options);
	err = find_process(request, &options.pid);
	if (err || request->complaint)
		return err;
	err = open_target(request, &options);
	if (!err && dap->session)
		err = look_around(dap);
	if (err || request->complaint)
		dap_forget_target(dap);
	else
		tell_beginning(request, "attach");
	return err;
}

// ---- launch ----

// NULL: out of memory. Its texts are the list's.
static char **texts_of(struct request *request, const char *name, const char *first)
{
	const json_t *list = argument_list(request, request->arguments, name);
	size_t n = 0;
	char **texts = calloc(json_array_size(list) + 2, sizeof(*texts));

	if (texts && first)
		texts[n++] = (char *)first;
	for (size_t i = 0; texts && i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text)
			request_complain(request, "%s: '%s' is to be a list of strings",
					 request->command, name);
		texts[n++] = (char *)(text ?: "");
	}
	return texts;
}

static void free_texts(char **texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		free(texts[i]);
	free(texts);
}

// Ours, with what the object changes; null takes a variable away. NULL: out of memory.
static char **environment_of(const json_t *changes)
{
	size_t ours = 0, n = 0;

	while (environ[ours])
		ours++;
	char **texts = calloc(ours + json_object_size(changes) + 1, sizeof(*texts));

	for (size_t i = 0; texts && i < ours; i++) {
		char *name = strndup(environ[i], strcspn(environ[i], "="));

		if (name && !json_object_get(changes, name))
			texts[n++] = strdup(environ[i]);
		free(name);
	}
	for (void *at = json_object_iter((json_t *)changes); texts && at;
	     at = json_object_iter_next((json_t *)changes, at)) {
		const char *value = json_string_value(json_object_iter_value(at));

		if (value && asprintf(&texts[n], "%s=%s", json_object_iter_key(at), value) >= 0)
			n++;
	}
	return texts;
}

// The first look at its memory finds that the process has become the program, and begins again. Any
// place will do, one that nothing is mapped at too.
static struct dc_error *look_anew(struct dap *dap)
{
	char *value = NULL;
	struct dc_error *err = dc_print(dap->session, "*(char *) 0", &value);

	if (err && err->code != DC_VALUE)
		return err;
	dc_error_destroy(err);
	free(value);
	dap->at_entry = true;
	return look_around(dap);
}

// Until the program stands at its first instruction, or it is known that it could not be run.
static struct dc_error *run_to_entry(struct request *request)
{
	enum { PATIENCE_NS = 1000000000 };
	struct dap *dap = request->dap;
	struct dc_error *err = dap_take_control(request, dap->session);
	struct dc_event event;
	int cause;

	if (err)
		return err;
	launch_go(&dap->launched);
	cause = launch_failure(&dap->launched);
	if (cause) {
		request_complain(request, "cannot run %s: %s",
				 argument_text(request, request->arguments, "program", true),
				 strerror(cause));
		return NULL;
	}
	while (dc_wait_event(dap->session, 10LL * PATIENCE_NS, &event)) {
		if (event.kind == DC_EVENT_STOPPED && event.stop.reason == DC_STOP_EXEC)
			return look_anew(dap);
		if (event.kind == DC_EVENT_TARGET_ENDED)
			break;
	}
	request_complain(request, "the program did not come to its first instruction");
	return NULL;
}

static void prepare(struct request *request)
{
	const json_t *arguments = request->arguments;
	struct dap *dap = request->dap;
	const char *program = argument_text(request, arguments, "program", true);
	const json_t *env = argument_object(request, arguments, "env");
	char **argv = texts_of(request, "args", program);
	char **envp = environment_of(env);
	const struct launch_options options = { .program = program,
						.argv = argv,
						.envp = envp,
						.cwd = *dap->cwd ? dap->cwd : NULL,
						.outlives = dap->outlives };
	int cause = request->complaint ? 0 : ENOMEM;

	if (argv && envp && !request->complaint)
		cause = launch_prepare(&options, &dap->launched);
	if (cause)
		request_complain(request, "cannot run %s: %s", program, strerror(cause));
	free_texts(envp);
	free(argv);
}

struct dc_error *dap_launch(struct request *request)
{
	struct dap *dap = request->dap;
	struct dc_options options;
	struct dc_error *err;

	if (dap->session)
		request_complain(request, "there is a process already: one conversation, one "
					  "process");
	take_settings(request);
	dap->outlives = !argument_flag(request, request->arguments, "killOnExit", true);
	if (!request->complaint)
		prepare(request);
	if (request->complaint)
		return NULL;
	dc_options_init(&options);
	options.pid = dap->launched.pid;
	dap->pid = options.pid;
	err = open_target(request, &options);
	if (!err && dap->session)
		err = run_to_entry(request);
	if (err || request->complaint) {
		dap_forget_target(dap);
		launch_kill(&dap->launched);
		launch_deinit(&dap->launched);
	} else {
		tell_beginning(request, "launch");
	}
	return err;
}

// ---- configurationDone ----

struct dc_error *dap_configuration_done(struct request *request)
{
	struct dap *dap = request->dap;

	dap->configured = true;
	request->body = json_object();
	if (dap->stop_on_entry) {
		dap_await_pause(dap, dap->pid, "entry");
		dap_begin(dap, dap_pause, 0);
	} else if (dap->launched.pid) {
		dap_begin(dap, dap_go, 0);
	}
	return NULL;
}

// ---- terminate, disconnect, cancel ----

// The program may see to its end; who wants more disconnects.
struct dc_error *dap_terminate(struct request *request)
{
	struct dap *dap = request->dap;

	if (kill(dap->pid, SIGTERM))
		request_complain(request, "process %d cannot be asked to end: %s", dap->pid,
				 strerror(errno));
	else
		dap_begin(dap, dap_go, 0);
	request->body = json_object();
	return NULL;
}

// What we launched ends with us unless told otherwise, what we attached to does not.
struct dc_error *dap_disconnect(struct request *request)
{
	struct dap *dap = request->dap;
	bool had = dap->session != NULL;
	bool ends = argument_flag(request, request->arguments, "terminateDebuggee",
				  dap->launched.pid && !dap->outlives);
	bool suspends = argument_flag(request, request->arguments, "suspendDebuggee", false);

	if (request->complaint)
		return NULL;
	dap_forget_target(dap);
	if (had && ends)
		kill(dap->pid, SIGKILL);
	else if (had && suspends)
		kill(dap->pid, SIGSTOP);
	dap->ending = true;
	return NULL;
}

// By the request's number, or by the progress that is told of it. One that has ended, or never was,
// is no matter.
struct dc_error *dap_cancel(struct request *request)
{
	int64_t seq = argument_integer(request, request->arguments, "requestId", false, -1);
	const char *progress = argument_text(request, request->arguments, "progressId", false);

	if (progress && sscanf(progress, "call-%" SCNi64, &seq) != 1)
		seq = -1;
	for (struct request *each = request->dap->under_way; each && !request->complaint;
	     each = each->next) {
		if (each->seq == seq)
			dc_operation_cancel(each->operation);
	}
	return NULL;
}
