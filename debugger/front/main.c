// SPDX-License-Identifier: MIT
// The debugcall program: reads the command line, opens a session, runs one command.
#include "debugger/front/dap/listen.h"
#include "debugger/front/each.h"
#include "debugger/front/interrupt.h"
#include "debugger/front/options.h"
#include "debugger/front/report.h"
#include "debugger/front/shell/shell.h"
#include "debugger/front/shell/trust.h"
#include "debugger/front/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dc_error *open_session(struct options *options, struct dc_session **ret)
{
	struct dc_error *err = dc_find_process(options->who, &options->session.pid);

	return err ? err : dc_open(&options->session, ret);
}

static int run(struct options *options, struct records *out)
{
	struct dc_session *session;

	if (options->words.each == EACH_PROCESS)
		return each_process(options, out);

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
	case OPTIONS_COMPLETION: return !completion_put(options->completion);
	case OPTIONS_VERSION: return version_say(out);
	case OPTIONS_SHELL: interrupt_install(); return shell_run(options, out);
	default: interrupt_install(); return run(options, out);
	}
}

// https://no-color.org: set and not empty is no.
static bool wants_colour(const struct options *options)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (options->colour != COLOUR_AUTO)
		return options->colour == COLOUR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

// An init file of a project is read from now on, as long as it stays as it is.
static int trust(const char *path)
{
	const char *why = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && trust_is_ours(fd, &why) && trust_add(fd, path);

	if (!good)
		fprintf(stderr, "error: %s %s\n", path,
			why && fd >= 0 && !trust_is_ours(fd, &why) ? why : strerror(errno));
	if (fd >= 0)
		close(fd);
	return good ? 0 : 1;
}

int main(int argc, char *argv[])
{
	// Spoken to by editors, in messages of its own: nothing of the rest applies.
	if (argc > 1 && !strcmp(argv[1], "dap"))
		return dap_main(argc - 1, argv + 1);

	if (argc == 3 && !strcmp(argv[1], "trust"))
		return trust(argv[2]);

	struct options options;
	char complaint[256];
	bool good = options_parse(argc, argv, &options, complaint);
	struct records out = RECORDS_INIT(options.json ? json_render : text_render, options.quiet);

	text_is_coloured = wants_colour(&options);

	out.raw = options.raw;
	errno = 0;
	int status = good ? obey(&options, &out) : report_usage(&out, complaint);
	int failure = out.failure;

	if (!failure && ferror(stdout))
		failure = errno ?: EIO;
	if (fflush(stdout) && !failure)
		failure = errno;
	options_deinit(&options);
	// A reader that left early (head) knows what it wanted; a full disk is an error.
	if (failure && failure != EPIPE) {
		fprintf(stderr, "error: cannot write the output: %s\n", strerror(failure));
		return status ? status : 1;
	}
	return status;
}
