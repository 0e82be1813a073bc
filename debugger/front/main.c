// SPDX-License-Identifier: MIT
// The debugcall program: reads the command line, opens a session, runs one command.
#include "debugger/front/commands.h"
#include "debugger/front/interrupt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int usage(const char *complaint)
{
	fprintf(stderr,
		"error: %s\nusage: debugcall [options] -p PID EXPR...   (debugcall --help says "
		"more)\n",
		complaint);
	return dc_code_status(DC_USAGE);
}

static struct dc_error *open_session(struct options *options, struct dc_session **ret)
{
	struct dc_error *err = dc_find_process(options->who, &options->session.pid);

	return err ? err : dc_open(&options->session, ret);
}

static int run(struct options *options)
{
	const struct sink sink = options->json ? sink_json(options->quiet)
					       : sink_text(options->quiet);
	struct dc_session *session;
	struct dc_error *err = open_session(options, &session);
	int status;

	if (err) {
		status = dc_code_status(err->code);
		sink.error(&sink, NULL, err);
		dc_error_destroy(err);
		return status;
	}
	interrupt_session(session);
	switch (options->command) {
	case COMMAND_CHECK: status = command_check(session, options, &sink); break;
	case COMMAND_FUNCTIONS: status = command_functions(session, options, &sink); break;
	case COMMAND_GOROUTINES: status = command_goroutines(session, options, &sink); break;
	default: status = command_evaluate(session, options, &sink);
	}
	interrupt_session(NULL);
	dc_close(session);
	return status;
}

int main(int argc, char *argv[])
{
	struct options options;
	char complaint[256];
	int status = 0;

	if (!options_parse(argc, argv, &options, complaint))
		return usage(complaint);
	switch (options.command) {
	case COMMAND_HELP: options_help(); break;
	case COMMAND_VERSION: puts("debugcall " DC_VERSION); break;
	default: interrupt_install(); status = run(&options);
	}
	// A reader that left early (head) knows what it wanted; a full disk is an error.
	errno = 0;
	if (fflush(stdout) && errno != EPIPE) {
		fprintf(stderr, "error: cannot write the output: %s\n", strerror(errno));
		return status ? status : 1;
	}
	return status;
}
