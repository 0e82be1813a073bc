// SPDX-License-Identifier: MIT
// The debugcall program: reads the command line, opens a session, runs one command.
#include "debugger/front/dap/listen.h"
#include "debugger/front/interrupt.h"
#include "debugger/front/options.h"
#include "debugger/front/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct dc_error *open_session(struct options *options, struct dc_session **ret)
{
	struct dc_error *err = dc_find_process(options->who, &options->session.pid);

	return err ? err : dc_open(&options->session, ret);
}

static int run(struct options *options, struct records *out)
{
	struct dc_session *session;
	struct dc_error *err = open_session(options, &session);

	if (err)
		return report_failure(out, NULL, err);
	interrupt_session(session);
	int status = command_run(options->command, session, &options->words, out);
	interrupt_session(NULL);
	dc_close(session);
	return status;
}

static int obey(struct options *options, struct records *out)
{
	switch (options->what) {
	case OPTIONS_HELP: options_help(); return 0;
	case OPTIONS_VERSION: puts("debugcall " DC_VERSION); return 0;
	default: interrupt_install(); return run(options, out);
	}
}

int main(int argc, char *argv[])
{
	// Spoken to by editors, in messages of its own: nothing of the rest applies.
	if (argc > 1 && !strcmp(argv[1], "dap"))
		return dap_main(argc - 1, argv + 1);

	struct options options;
	char complaint[256];
	bool good = options_parse(argc, argv, &options, complaint);
	struct records out = RECORDS_INIT(options.json ? json_render : text_render, options.quiet);
	int status = good ? obey(&options, &out) : report_usage(&out, complaint);

	// A reader that left early (head) knows what it wanted; a full disk is an error.
	errno = 0;
	if (fflush(stdout) && errno != EPIPE) {
		fprintf(stderr, "error: cannot write the output: %s\n", strerror(errno));
		return status ? status : 1;
	}
	return status;
}
