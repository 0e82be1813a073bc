// SPDX-License-Identifier: MIT
// Which thread, goroutine and frame the commands mean, and their stacks.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/places.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool parse_number(const char *text, unsigned long max, unsigned long *ret)
{
	char *end;

	*ret = strtoul(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end && *ret <= max;
}

// ---- threads --------------------------------------------------------------------------------------

size_t shell_thread_number(struct shell *shell, pid_t tid)
{
	for (size_t i = 0; i < shell->nr_threads; i++) {
		if (shell->threads[i] == tid)
			return i + 1;
	}

	pid_t *more = reallocarray(shell->threads, shell->nr_threads + 1, sizeof(*more));

	if (!more)
		return 0;
	shell->threads = more;
	more[shell->nr_threads++] = tid;
	return shell->nr_threads;
}

pid_t shell_thread(const struct shell *shell)
{
	return shell->usual.scope.thread ? shell->usual.scope.thread : shell->pid;
}

static struct dc_error *take_stacks(struct shell *shell, pid_t thread, struct dc_stacks *ret)
{
	const struct dc_stacks_options options = { .thread = thread };
	struct dc_error *err = dc_stacks(shell->session, &options, ret);

	for (size_t i = 0; !err && i < ret->nr_stacks; i++) {
		if (ret->stacks[i].thread)
			shell_thread_number(shell, ret->stacks[i].thread);
	}
	return err;
}

// The one thread's: as it stands, when it does, else wherever it is.
static struct dc_error *take_stack(struct shell *shell, pid_t tid, struct dc_stacks *ret)
{
	*ret = (struct dc_stacks){ .stacks = calloc(1, sizeof(*ret->stacks)) };
	if (ret->stacks && dc_is_controlled(shell->session)) {
		struct dc_error *err = dc_frames(shell->session, tid, &ret->stacks[0]);

		if (!err) {
			ret->nr_stacks = 1;
			ret->stacks[0].thread = tid;
			return NULL;
		}
		dc_error_destroy(err);
	}
	dc_stacks_deinit(ret);
	return take_stacks(shell, tid, ret);
}

static const struct dc_stack *stack_of(const struct dc_stacks *stacks, pid_t tid)
{
	for (size_t i = 0; i < stacks->nr_stacks; i++) {
		if (stacks->stacks[i].thread == tid)
			return &stacks->stacks[i];
	}
	return NULL;
}

void shell_say_thread_row(struct shell *shell, const struct dc_stack *stack)
{
	struct records *out = shell->out;

	record_begin(out, "thread");
	record_count(out, "number", shell_thread_number(shell, stack->thread));
	record_integer(out, "thread", stack->thread);
	record_text(out, "name", stack->name);
	record_flag(out, "current", stack->thread == shell_thread(shell));
	record_text(out, "wait", stack->wait);
	record_text(out, "detail", stack->detail);
	if (stack->goroutine)
		record_format(out, "goroutine", "%ju", (uintmax_t)stack->goroutine);
	if (stack->nr_frames)
		report_frame(out, "frame", &stack->frames[0].at);
	else
		record_none(out, "frame");
	record_text(out, "why", stack->nr_frames ? NULL : stack->why);
	record_end(out);
}

int command_info_threads(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	struct dc_stacks stacks;
	struct dc_error *err = take_stacks(shell, 0, &stacks);

	(void)session;
	if (err)
		return report_failure(out, NULL, err);
	for (size_t i = 0; i < stacks.nr_stacks; i++) {
		if (stacks.stacks[i].thread)
			shell_say_thread_row(shell, &stacks.stacks[i]);
	}
	dc_stacks_deinit(&stacks);
	return 0;
}

struct scope_kept shell_keep_scope(const struct shell *shell)
{
	struct scope_kept kept = { .scope = shell->usual.scope };

	memcpy(kept.frame, shell->frame, sizeof(kept.frame));
	return kept;
}

void shell_restore_scope(struct shell *shell, const struct scope_kept *kept)
{
	shell->usual.scope = kept->scope;
	memcpy(shell->frame, kept->frame, sizeof(shell->frame));
}

static void forget_frame(struct shell *shell)
{
	*shell->frame = '\0';
	shell->usual.scope.frame = NULL;
}

static int say_thread(struct shell *shell)
{
	pid_t tid = shell_thread(shell);

	record_begin(shell->out, "chosen");
	record_text(shell->out, "what", "thread");
	record_count(shell->out, "number", shell_thread_number(shell, tid));
	record_integer(shell->out, "thread", tid);
	record_flag(shell->out, "ours", shell->usual.scope.thread != 0);
	record_end(shell->out);
	return 0;
}

int command_thread(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	struct dc_stacks stacks;
	unsigned long number;
	struct dc_error *err;

	(void)session;
	err = take_stacks(shell, 0, &stacks);
	if (err)
		return report_failure(out, NULL, err);
	if (!words->nr) {
		dc_stacks_deinit(&stacks);
		return say_thread(shell);
	}

	pid_t tid = 0;

	if (parse_number(words->operands[0], INT32_MAX, &number)) {
		tid = number && number <= shell->nr_threads ? shell->threads[number - 1]
							    : (pid_t)number;
		if (!stack_of(&stacks, tid))
			tid = 0;
	}
	dc_stacks_deinit(&stacks);
	if (!tid)
		return report_message(out, DC_NAME,
				      "no thread '%.100s' in process %d (info threads lists them)",
				      words->operands[0], shell->pid);
	shell->usual.scope.thread = tid;
	shell->usual.scope.goroutine = 0;
	forget_frame(shell);
	return say_thread(shell);
}

static void choose_goroutine(struct shell *shell, uint64_t id)
{
	shell->usual.scope.goroutine = id;
	shell->usual.scope.thread = 0;
	forget_frame(shell);
}

int command_goroutine(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	char *end = NULL;

	(void)session;
	if (words->nr && !strcmp(words->operands[0], "none")) {
		shell->usual.scope.goroutine = 0;
		return 0;
	}
	if (words->nr) {
		unsigned long id = strtoul(words->operands[0], &end, 10);

		if (!isdigit((unsigned char)*words->operands[0]) || !id || (*end && *end != ' '))
			return report_message(out, DC_USAGE,
					      "goroutine wants the id of one, not '%.100s'",
					      words->operands[0]);

		const char *command = end + strspn(end, " \t");
		struct scope_kept before = shell_keep_scope(shell);

		choose_goroutine(shell, id);
		if (*command) {
			int status = shell_obey(shell, command, false);

			if (shell->session)
				shell_restore_scope(shell, &before);
			return status;
		}
	}
	record_begin(out, "chosen");
	record_text(out, "what", "goroutine");
	if (shell->usual.scope.goroutine)
		record_count(out, "number", shell->usual.scope.goroutine);
	else
		record_none(out, "number");
	record_end(out);
	return 0;
}

// ---- frames ---------------------------------------------------------------------------------------

int shell_say_frame(struct shell *shell)
{
	struct dc_place place;
	struct dc_error *err = dc_place(shell->session, &shell->usual.scope, &place);

	if (err)
		return report_failure(shell->out, NULL, err);
	record_begin(shell->out, "frame");
	record_count(shell->out, "number", place.index);
	record_integer(shell->out, "thread", place.thread);
	report_frame_fields(shell->out, &place.frame);
	record_end(shell->out);
	if (place.frame.file) {
		free(shell->listed_file);
		shell->listed_file = strdup(place.frame.file);
		shell->listed_from = shell->listed_to = 0;
	}
	return 0;
}

// The frame that is chosen now, or the one that is meant while none is.
static struct dc_error *frame_number(struct shell *shell, unsigned *ret)
{
	struct dc_place place;
	struct dc_error *err = dc_place(shell->session, &shell->usual.scope, &place);

	*ret = place.index;
	return err;
}

// Tries the frame; one that is not there leaves the one before.
static int choose_frame(struct shell *shell, const char *name)
{
	struct dc_scope before = shell->usual.scope;
	char old[sizeof(shell->frame)];

	memcpy(old, shell->frame, sizeof(old));
	if (strlen(name) >= sizeof(shell->frame))
		return report_message(shell->out, DC_USAGE, "'%.100s' is too long for a frame",
				      name);
	snprintf(shell->frame, sizeof(shell->frame), "%s", name);
	shell->usual.scope.frame = shell->frame;

	int status = shell_say_frame(shell);

	if (status) {
		memcpy(shell->frame, old, sizeof(old));
		shell->usual.scope = before;
	}
	return status;
}

int command_frame(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	unsigned index;

	(void)session;
	if (!words->nr)
		return shell_say_frame(shell);
	if (isdigit((unsigned char)*words->operands[0]))
		return choose_frame(shell, words->operands[0]);

	// A function's frame is kept by its number, so that up and down go on from it.
	struct dc_scope scope = shell->usual.scope;
	struct dc_place place;
	char number[16];

	scope.frame = words->operands[0];

	struct dc_error *err = dc_place(shell->session, &scope, &place);

	if (err)
		return report_failure(out, NULL, err);
	index = place.index;
	snprintf(number, sizeof(number), "%u", index);
	return choose_frame(shell, number);
}

static int move(const struct words *words, int direction, struct records *out)
{
	struct shell *shell = words->shell;
	unsigned long steps = 1;
	unsigned index;
	char number[24];

	if (words->nr && !parse_number(words->operands[0], 1000, &steps))
		return report_message(out, DC_USAGE, "a number of frames is wanted, not '%.100s'",
				      words->operands[0]);

	struct dc_error *err = frame_number(shell, &index);

	if (err)
		return report_failure(out, NULL, err);
	if (direction < 0 && !index && steps)
		return report_message(out, DC_NAME, "this is the innermost frame");
	if (direction < 0)
		index = steps > index ? 0 : index - (unsigned)steps;
	else
		index += (unsigned)steps;
	snprintf(number, sizeof(number), "%u", index);
	return choose_frame(shell, number);
}

int command_up(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	return move(words, 1, out);
}

int command_down(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	return move(words, -1, out);
}

// ---- backtrace ------------------------------------------------------------------------------------

struct trace_options {
	unsigned long max; // 0: all
	bool full, outermost;
};

static bool parse_trace(const struct words *words, struct trace_options *ret)
{
	*ret = (struct trace_options){ 0 };
	for (size_t i = 0; i < words->nr; i++) {
		const char *word = words->operands[i];

		if (!strcmp(word, "full") || !strcmp(word, "-full"))
			ret->full = true;
		else if (*word == '-' && parse_number(word + 1, UINT32_MAX, &ret->max))
			ret->outermost = true;
		else if (!parse_number(word, UINT32_MAX, &ret->max))
			return false;
	}
	return true;
}

static void show_frame(struct shell *shell, const struct dc_stack_frame *frame, unsigned number,
		       unsigned chosen, bool full)
{
	struct records *out = shell->out;

	record_begin(out, "frame");
	record_count(out, "number", number);
	report_frame_fields(out, &frame->at);
	if (number == chosen)
		record_flag(out, "current", true);
	if (frame->is_inlined)
		record_flag(out, "inlined", true);
	if (frame->is_signal)
		record_flag(out, "signal", true);
	if (frame->is_guess)
		record_flag(out, "guessed", true);
	record_end(out);
	if (full)
		shell_show_locals(shell, number);
}

struct dc_error *shell_count_frames(struct shell *shell, size_t *ret)
{
	struct dc_stacks stacks;
	struct dc_error *err = take_stack(shell, shell_thread(shell), &stacks);

	*ret = 0;
	if (err)
		return err;

	const struct dc_stack *stack = stack_of(&stacks, shell_thread(shell));

	*ret = stack ? stack->nr_frames : 0;
	dc_stacks_deinit(&stacks);
	return NULL;
}

int command_backtrace(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	struct trace_options options;
	struct dc_stacks stacks;
	unsigned chosen = UINT32_MAX;

	(void)session;
	if (!parse_trace(words, &options))
		return report_message(out, DC_USAGE, "backtrace wants N, -N or full");
	if (*shell->frame)
		chosen = (unsigned)strtoul(shell->frame, NULL, 10);

	struct dc_error *err = take_stack(shell, shell_thread(shell), &stacks);

	if (err)
		return report_failure(out, NULL, err);

	const struct dc_stack *stack = stack_of(&stacks, shell_thread(shell));
	size_t n = stack ? stack->nr_frames : 0, from = 0, to = n;

	if (options.max && options.max < n) {
		from = options.outermost ? n - options.max : 0;
		to = from + options.max;
	}
	for (size_t i = from; i < to && !out->unwanted; i++)
		show_frame(shell, &stack->frames[i], (unsigned)i, chosen, options.full);
	if (stack && to < n)
		report_note(out, "%zu more frames", n - to);
	if (stack && stack->why)
		report_note(out, n ? "the stack is incomplete: %s" : "%s", stack->why);

	int status = stack && n ? 0
				: report_message(out, DC_REFUSED, "no stack of thread %d: %s",
						 shell_thread(shell),
						 stack && stack->why ? stack->why : "it is gone");

	dc_stacks_deinit(&stacks);
	return status;
}
