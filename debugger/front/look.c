// SPDX-License-Identifier: MIT
// The commands that only look: they run nothing and stop nothing.
#include "debugger/front/report.h"
#include "debugger/front/commands.h"

int command_check(struct dc_session *session, const struct words *words, struct records *out)
{
	struct dc_check check;
	struct dc_error *err = dc_check(session, &words->scope, &words->call, &check);
	int status = dc_code_status(DC_REFUSED);

	if (err)
		return report_failure(out, NULL, err);
	record_begin(out, "check");
	record_integer(out, "pid", check.pid);
	record_text(out, "program", check.program);
	record_list(out, "hosts");
	for (size_t i = 0; check.hosts[i]; i++)
		record_text(out, NULL, check.hosts[i]);
	record_close(out);
	record_list(out, "threads");
	for (size_t i = 0; i < check.nr_threads; i++) {
		const struct dc_check_thread *thread = &check.threads[i];

		record_group(out, NULL);
		record_integer(out, "thread", thread->tid);
		record_text(out, "name", thread->name);
		record_text(out, "state", thread->state);
		record_flag(out, "borrowable", thread->borrowable);
		record_text(out, "reason", thread->reason);
		record_close(out);
		if (thread->borrowable)
			status = 0;
	}
	record_close(out);
	report_notes(out, check.notes);
	record_end(out);
	dc_check_deinit(&check);
	return status;
}

struct listing {
	struct records *out;
	size_t n;
};

static bool show_function(const struct dc_function *function, void *arg)
{
	struct listing *listing = arg;
	struct records *out = listing->out;

	listing->n++;
	record_begin(out, "function");
	record_text(out, "name", function->name);
	record_text(out, "prototype", function->prototype);
	record_text(out, "module", function->module);
	record_address(out, "address", function->addr);
	record_end(out);
	return !out->unwanted;
}

int command_functions(struct dc_session *session, const struct words *words, struct records *out)
{
	struct listing listing = { .out = out };
	struct dc_error *err = dc_functions(session, words->nr ? words->operands[0] : NULL,
					    show_function, &listing);

	if (err)
		return report_failure(out, NULL, err);
	if (!listing.n)
		report_note(out, "no function that can be called matches");
	return 0;
}

static bool show_goroutine(const struct dc_goroutine *g, void *arg)
{
	struct records *out = arg;

	record_begin(out, "goroutine");
	record_format(out, "goroutine", "%ju", (uintmax_t)g->id);
	record_text(out, "status", g->status);
	if (g->wait_reason) {
		record_text(out, "wait_reason", g->wait_reason);
		if (g->waited_ns >= 0)
			record_real(out, "waited_us", (double)g->waited_ns / 1000);
		else
			record_none(out, "waited_us");
	}
	record_text(out, "label", g->label);
	record_flag(out, "system", g->is_system);
	if (g->thread)
		record_integer(out, "thread", g->thread);
	else
		record_none(out, "thread");
	if (g->where.pc)
		report_frame(out, "where", &g->where);
	else
		record_none(out, "where");
	record_format(out, "creator", "%ju", (uintmax_t)g->creator);
	if (g->created.pc)
		report_frame(out, "created", &g->created);
	else
		record_none(out, "created");
	record_text(out, "reason", g->reason);
	record_end(out);
	return !out->unwanted;
}

int command_goroutines(struct dc_session *session, const struct words *words, struct records *out)
{
	struct dc_error *err = dc_goroutines(session, show_goroutine, out);

	(void)words;
	return err ? report_failure(out, NULL, err) : 0;
}
