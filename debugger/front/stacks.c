// SPDX-License-Identifier: MIT
// The command stacks: threads with equal stacks are shown together.
#include "debugger/front/commands.h"
#include "debugger/front/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(const char *a, const char *b)
{
	return !a || !b ? !!a - !!b : strcmp(a, b);
}

// Zero for threads that are shown together.
static int compare_stacks(const struct dc_stack *a, const struct dc_stack *b)
{
	int order = !a->thread - !b->thread;

	if (!order)
		order = compare_texts(a->wait, b->wait);
	if (!order)
		order = a->is_ready - b->is_ready;
	if (!order)
		order = compare_texts(a->why, b->why);
	if (!order)
		order = (a->nr_frames > b->nr_frames) - (a->nr_frames < b->nr_frames);
	for (size_t i = 0; !order && i < a->nr_frames; i++) {
		uint64_t x = a->frames[i].at.pc, y = b->frames[i].at.pc;

		order = (x > y) - (x < y);
	}
	return order;
}

struct group {
	const struct dc_stack *const *stacks;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct dc_stack *x = *(const struct dc_stack *const *)a;
	const struct dc_stack *y = *(const struct dc_stack *const *)b;
	int order = compare_stacks(x, y);

	if (!order)
		order = (x->thread > y->thread) - (x->thread < y->thread);
	return order ? order : (x->goroutine > y->goroutine) - (x->goroutine < y->goroutine);
}

// The largest first, then by the first thread.
static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return compare(x->stacks, y->stacks);
}

static size_t make_groups(const struct dc_stack **sorted, size_t n, bool ungrouped,
			  struct group *groups)
{
	size_t nr = 0;

	if (!ungrouped)
		qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t i = 0; i < n; i++) {
		if (i && !ungrouped && !compare_stacks(sorted[i - 1], sorted[i]))
			groups[nr - 1].n++;
		else
			groups[nr++] = (struct group){ &sorted[i], 1 };
	}
	if (!ungrouped)
		qsort(groups, nr, sizeof(*groups), compare_groups);
	return nr;
}

static void show_summary(const struct dc_stacks *stacks, struct records *out)
{
	size_t incomplete = 0, unread = 0, stopped = 0, goroutines = 0;

	for (size_t i = 0; i < stacks->nr_stacks; i++) {
		goroutines += !stacks->stacks[i].thread;
		incomplete += stacks->stacks[i].how && !stacks->stacks[i].complete;
		unread += !stacks->stacks[i].how;
		stopped += stacks->stacks[i].how && !strcmp(stacks->stacks[i].how, "stop");
	}
	record_begin(out, "stacks");
	record_text(out, "program", stacks->program);
	record_integer(out, "pid", stacks->pid);
	record_count(out, "threads", stacks->nr_stacks - goroutines);
	if (goroutines)
		record_count(out, "goroutines", goroutines);
	record_count(out, "read", stacks->nr_stacks - unread - stopped);
	record_count(out, "stopped", stacks->nr_stopped);
	record_count(out, "unread", unread);
	record_count(out, "incomplete", incomplete);
	report_notes(out, stacks->notes);
	record_end(out);
}

static void show_frames(const struct dc_stack *stack, struct records *out)
{
	record_list(out, "frames");
	for (size_t i = 0; i < stack->nr_frames; i++) {
		const struct dc_stack_frame *frame = &stack->frames[i];

		record_group(out, NULL);
		report_frame_fields(out, &frame->at);
		if (frame->is_inlined)
			record_flag(out, "inlined", true);
		if (frame->is_signal)
			record_flag(out, "signal", true);
		if (frame->is_guess)
			record_flag(out, "guessed", true);
		record_close(out);
	}
	record_close(out);
}

static void show_group(const struct group *group, struct records *out)
{
	const struct dc_stack *stack = group->stacks[0];

	record_begin(out, "stack");
	record_list(out, "threads");
	for (size_t i = 0; i < group->n; i++) {
		const struct dc_stack *each = group->stacks[i];

		record_group(out, NULL);
		if (each->thread)
			record_integer(out, "thread", each->thread);
		else
			record_none(out, "thread");
		if (each->goroutine)
			record_format(out, "goroutine", "%ju", (uintmax_t)each->goroutine);
		record_text(out, "name", each->name);
		record_text(out, "how", each->how);
		record_text(out, "detail", each->detail);
		record_close(out);
	}
	record_close(out);
	record_text(out, "wait", stack->wait);
	record_flag(out, "ready", stack->is_ready);
	record_flag(out, "complete", stack->complete);
	record_text(out, "why", stack->why);
	show_frames(stack, out);
	record_end(out);
}

// One line a stack, the outermost frame first, as flame graphs are made from.
static void show_folded(const struct dc_stacks *stacks, const struct group *group,
			struct records *out)
{
	const struct dc_stack *stack = group->stacks[0];
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file) {
		out->lost = true;
		return;
	}
	fputs(stacks->program, file);
	if (!stack->complete)
		fputs(stack->how ? ";[incomplete]" : ";[not read]", file);
	for (size_t i = stack->nr_frames; i > 0; i--) {
		const struct dc_frame *at = &stack->frames[i - 1].at;

		// A semicolon ends a frame there.
		fputc(';', file);
		for (const char *c = at->function; c && *c; c++)
			fputc(*c == ';' ? ':' : *c, file);
		if (!at->function)
			fprintf(file, "[%s]", at->module ? at->module : "unknown");
	}
	if (fclose(file))
		out->lost = true;
	record_begin(out, "folded");
	record_text(out, "stack", text);
	record_count(out, "count", group->n);
	record_end(out);
	free(text);
}

static void show(const struct dc_stacks *stacks, const struct words *words,
		 const struct group *groups, size_t n, struct records *out)
{
	if (!words->folded)
		show_summary(stacks, out);
	for (size_t i = 0; i < n && !out->unwanted; i++) {
		if (words->folded)
			show_folded(stacks, &groups[i], out);
		else
			show_group(&groups[i], out);
	}
}

int command_stacks(struct dc_session *session, const struct words *words, struct records *out)
{
	const struct dc_stacks_options options = { .thread = words->scope.thread,
						   .goroutine = words->scope.goroutine,
						   .regex = words->nr ? words->operands[0] : NULL,
						   .stop = words->stop };
	struct dc_stacks stacks;
	struct dc_error *err = dc_stacks(session, &options, &stacks);

	if (err)
		return report_failure(out, NULL, err);

	const struct dc_stack **sorted = calloc(stacks.nr_stacks + 1, sizeof(*sorted));
	struct group *groups = calloc(stacks.nr_stacks + 1, sizeof(*groups));

	for (size_t i = 0; sorted && i < stacks.nr_stacks; i++)
		sorted[i] = &stacks.stacks[i];
	if (sorted && groups)
		show(&stacks, words, groups,
		     make_groups(sorted, stacks.nr_stacks, words->ungrouped, groups), out);
	else
		out->lost = true;
	free(groups);
	free(sorted);
	dc_stacks_deinit(&stacks);
	return 0;
}
