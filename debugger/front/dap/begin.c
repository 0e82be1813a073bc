// SPDX-License-Identifier: MIT
// The programs that we launch: how they are begun, in a terminal or not, and begun again.
#include "debugger/front/dap/dap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- What is run ----

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

// ---- Where it is run ----

enum console { CONSOLE_INTERNAL, CONSOLE_INTEGRATED, CONSOLE_EXTERNAL };

static void begin_here(struct request *request)
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

// The client runs us in a terminal, as the program's keeper.
static json_t *keeper_command(struct request *request, const char *address)
{
	char ourselves[4096];
	ssize_t n = readlink("/proc/self/exe", ourselves, sizeof(ourselves) - 1);
	json_t *command = json_array();

	ourselves[n > 0 ? n : 0] = '\0';
	json_array_append_new(command, json_text(ourselves));
	json_array_append_new(command, json_string("dap"));
	json_array_append_new(command, json_string("--keep"));
	json_array_append_new(command, json_string(address));
	if (request->dap->outlives)
		json_array_append_new(command, json_string("--outlives"));
	json_array_append_new(command, json_string("--"));
	json_array_append(command, json_object_get(request->arguments, "program"));
	json_array_extend(command, argument_list(request, request->arguments, "args"));
	return command;
}

static void begin_in_terminal(struct request *request, enum console console)
{
	struct dap *dap = request->dap;
	const char *program = argument_text(request, request->arguments, "program", true);
	json_t *env = argument_object(request, request->arguments, "env");
	char address[64], *ours = NULL;
	int cause;

	free(texts_of(request, "args", NULL));
	if (!dap->has_terminal)
		request_complain(request, "the client has no terminal to run it in");
	if (request->complaint)
		return;
	cause = launch_listen(&dap->launched, address);
	if (cause) {
		request_complain(request, "cannot run %s: %s", program, strerror(cause));
		return;
	}
	if (!*dap->cwd)
		ours = getcwd(NULL, 0);
	dap_ask_client(dap, "runInTerminal",
		       json_pack("{ss so* so* so sO*}", "kind",
				 console == CONSOLE_EXTERNAL ? "external" : "integrated", "title",
				 json_text(program), "cwd", json_text(ours ?: dap->cwd), "args",
				 keeper_command(request, address), "env", env));
	free(ours);
}

static void begin(struct request *request)
{
	static const char *const words[] = {
		"internalConsole", "integratedTerminal", "externalTerminal",
		"internalConsole, integratedTerminal or externalTerminal"
	};
	int console = dap_choice(request, "console", words, 3, CONSOLE_INTERNAL);

	if (request->complaint)
		return;
	if (console == CONSOLE_INTERNAL)
		begin_here(request);
	else
		begin_in_terminal(request, (enum console)console);
}

// ---- Until it stands ----

static struct dc_error *find(struct request *request, pid_t *pid)
{
	struct dap *dap = request->dap;
	int cause = dap->launched.pid ? 0 : launch_accept(&dap->launched);

	if (cause)
		request_complain(request, "the terminal did not begin the program: %s",
				 strerror(cause));
	*pid = dap->pid = dap->launched.pid;
	return NULL;
}

// Until it stands; false: it has ended, or nobody waits any more.
static bool await_stop(struct dc_session *session, struct dc_stop *ret)
{
	struct dc_event event;

	while (dc_wait_event(session, -1, &event)) {
		*ret = event.stop;
		if (event.kind == DC_EVENT_STOPPED)
			return true;
		if (event.kind == DC_EVENT_TARGET_ENDED)
			break;
	}
	return false;
}

// Where the dynamic linker goes to when it is done; 0: not known.
static uint64_t entry_of(pid_t pid)
{
	enum { AT_ENTRY_TYPE = 9 };
	uint64_t pair[2], entry = 0;
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	file = fopen(path, "re");
	while (file && !entry && fread(pair, sizeof(pair), 1, file) == 1)
		entry = pair[0] == AT_ENTRY_TYPE ? pair[1] : 0;
	if (file)
		fclose(file);
	return entry;
}

// From its first instruction to where its libraries are there, so that breakpoints find their places
// in them. Where that cannot be, it stands as well where it does.
static struct dc_error *run_past_linker(struct request *request, struct dc_session *session,
					const struct dc_stop *first)
{
	uint64_t entry = entry_of(first->thread);
	struct dc_breakpoint_options options = { .kind = DC_BREAK, .temporary = true };
	struct dc_stop stop;
	char place[32];
	unsigned number;
	struct dc_error *err;

	snprintf(place, sizeof(place), "*0x%jx", (uintmax_t)entry);
	options.place = place;
	if (!entry || first->frame.pc == entry)
		return NULL;
	err = dc_breakpoint_set(session, &options, &number);
	if (err) {
		dc_error_destroy(err);
		return NULL;
	}
	err = dc_continue(session, 0);
	if (!err && !await_stop(session, &stop))
		request_complain(request, "the program ended before it began");
	if (!err && !request->complaint)
		request->dap->at_entry = stop.reason == DC_STOP_BREAKPOINT;
	return err;
}

// To where it begins, unless it could not be run.
static struct dc_error *run_to_entry(struct request *request, struct dc_session *session)
{
	struct dap *dap = request->dap;
	struct dc_error *err = dap_take_control(request, session);
	struct dc_stop stop = { 0 };
	int cause;

	if (err)
		return err;
	cause = launch_go(&dap->launched);
	if (cause) {
		request_complain(request, "cannot run %s: %s",
				 argument_text(request, request->arguments, "program", true),
				 strerror(cause));
		return NULL;
	}
	do {
		if (!await_stop(session, &stop)) {
			request_complain(request, "the program did not come to its first "
						  "instruction");
			return NULL;
		}
	} while (stop.reason != DC_STOP_EXEC);
	dap->at_entry = true;
	err = run_past_linker(request, session, &stop);
	return err || request->complaint ? err : dap_look_around(request, session);
}

static struct dc_error *start(struct request *request, struct dc_session *session)
{
	struct dc_error *err = run_to_entry(request, session);

	if (err || request->complaint)
		return err;
	dap_tell_process(request, "launch");
	request_tell(request, "capabilities",
		     json_pack("{so}", "capabilities", dap_capabilities(true)));
	request_tell(request, "initialized", NULL);
	return NULL;
}

struct dc_error *dap_launch(struct request *request)
{
	static const struct opening_steps steps = { find, start };
	struct dap *dap = request->dap;

	if (dap->session)
		request_complain(request, "there is a process already: one conversation, one "
					  "process");
	argument_text(request, request->arguments, "program", true);
	dap_take_settings(request);
	if (!request->complaint)
		begin(request);
	if (request->complaint) {
		launch_deinit(&dap->launched);
		return NULL;
	}
	dap->is_launch = true;
	dap_open(request, &steps);
	return NULL;
}

// ---- Again ----

static struct dc_error *start_again(struct request *request, struct dc_session *session)
{
	struct dc_error *err = run_to_entry(request, session);

	if (err || request->complaint)
		return err;
	breakpoints_renew(request, session);
	dap_tell_process(request, "launch");
	return NULL;
}

struct dc_error *dap_restart(struct request *request)
{
	struct dap *dap = request->dap;
	json_t *given = argument_object(request, request->arguments, "arguments");

	if (!dap->is_launch)
		request_complain(request, "what was not launched cannot be begun again");
	if (request->complaint)
		return NULL;
	given = json_incref(given ?: dap->configuration);
	json_decref(request->arguments);
	request->arguments = given;
	argument_text(request, given, "program", true);
	dap_take_settings(request);
	if (request->complaint)
		return NULL;
	request->is_taken = true;
	dap->restart = request;
	dap_undo(dap, true);
	return NULL;
}

void dap_begin_again(struct dap *dap)
{
	static const struct opening_steps steps = { find, start_again };
	struct request *request = dap->restart;

	dap->restart = NULL;
	dap_let_go(dap);
	launch_kill(&dap->launched);
	launch_deinit(&dap->launched);
	dap->has_ended = false;
	begin(request);
	// What is complained of is answered at the end of this, as other failures are.
	dap_open(request, &steps);
}
