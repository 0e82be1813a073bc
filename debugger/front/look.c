// SPDX-License-Identifier: MIT
// The commands that only look: check, functions, --goroutines. They run nothing and stop nothing.
#include "debugger/front/commands.h"

#include <stdio.h>

static int failed(const struct sink *sink, struct dc_error *err)
{
	int status = dc_code_status(err->code);

	sink->error(sink, NULL, err);
	dc_error_destroy(err);
	return status;
}

int command_check(struct dc_session *session, const struct options *options,
		  const struct sink *sink)
{
	struct dc_check check;
	struct dc_error *err = dc_check(session, &check);
	int status = dc_code_status(DC_REFUSED);

	(void)options;
	if (err)
		return failed(sink, err);
	for (size_t i = 0; i < check.nr_threads; i++) {
		if (check.threads[i].borrowable)
			status = 0;
	}
	sink->check(sink, &check);
	dc_check_deinit(&check);
	return status;
}

struct shown {
	const struct sink *sink;
	size_t n;
};

static bool show(const struct dc_function *function, void *arg)
{
	struct shown *shown = arg;

	shown->n++;
	shown->sink->function(shown->sink, function);
	return !ferror(stdout);
}

int command_functions(struct dc_session *session, const struct options *options,
		      const struct sink *sink)
{
	struct shown shown = { .sink = sink };
	struct dc_error *err = dc_functions(session, options->regex, show, &shown);

	if (!err && !shown.n)
		sink->note(sink, "no function that can be called matches");
	return err ? failed(sink, err) : 0;
}

static bool show_goroutine(const struct dc_goroutine *goroutine, void *arg)
{
	const struct sink *sink = arg;

	sink->goroutine(sink, goroutine);
	return !ferror(stdout);
}

int command_goroutines(struct dc_session *session, const struct options *options,
		       const struct sink *sink)
{
	struct dc_error *err = dc_goroutines(session, show_goroutine, (void *)sink);

	(void)options;
	return err ? failed(sink, err) : 0;
}
