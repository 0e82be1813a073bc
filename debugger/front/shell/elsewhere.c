// SPDX-License-Identifier: MIT
// Commands that have a thread that stands go on elsewhere: jump to a place, return from a frame.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/line.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/running.h"
#include "debugger/front/shell/values.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int no_thread(struct records *out)
{
	return report_message(out, DC_USAGE,
			      "no thread stands still (interrupt stops one, break waits for it)");
}

static bool may(struct shell *shell, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool may(struct shell *shell, const char *format, ...)
{
	char question[256];
	va_list args;

	if (!shell->at_terminal || !shell->settings.confirm)
		return true;
	va_start(args, format);
	vsnprintf(question, sizeof(question), format, args);
	va_end(args);
	return line_confirm(question);
}

// In the frame of the thread, whatever is chosen.
static struct dc_error *in_frame(struct shell *shell, pid_t tid, unsigned frame, const char *text,
				 struct dc_result *ret)
{
	struct scope_kept before = shell_keep_scope(shell);

	snprintf(shell->frame, sizeof(shell->frame), "%u", frame);
	shell->usual.scope = (struct dc_scope){ .thread = tid, .frame = shell->frame };

	struct dc_error *err = shell_evaluate(shell, text, ret);

	shell_restore_scope(shell, &before);
	return err;
}

static struct dc_error *assign(struct shell *shell, pid_t tid, const char *text)
{
	struct dc_result result;
	struct dc_error *err = in_frame(shell, tid, 0, text, &result);

	dc_result_deinit(&result);
	return err;
}

static bool same_function(const struct dc_frame *here, const struct dc_line *there)
{
	return here->function && there->function && !strcmp(here->function, there->function);
}

int command_jump(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	pid_t tid = shell_standing(shell);
	struct dc_line line;
	size_t more;
	int status;
	char text[128];

	(void)session;
	if (!tid)
		return no_thread(out);
	if (!shell_location(shell, words->operands[0], false, &line, &more, &status))
		return status;
	if (more)
		return report_message(out, DC_USAGE,
				      "'%.100s' is more than one place; *ADDRESS says which",
				      words->operands[0]);

	struct dc_place place;
	struct dc_error *err = dc_place(shell->session,
					&(struct dc_scope){ .thread = tid, .frame = "0" }, &place);

	if (err)
		return report_failure(out, NULL, err);
	if (!same_function(&place.frame, &line) &&
	    !may(shell, "%.100s is not in %.100s, where the thread stands. Go on?",
		 words->operands[0], place.frame.function ? place.frame.function : "the function"))
		return 0;
	// A system call that was interrupted is not made again there.
	snprintf(text, sizeof(text), "($orig_rax = -1, $rip = 0x%" PRIx64 ")", line.addr);
	err = assign(shell, tid, text);
	if (!err)
		err = shell_resume(shell, tid);
	return err ? report_failure(out, NULL, err) : shell_wait_for_stop(shell, 0);
}

// ---- return ---------------------------------------------------------------------------------------

// Registers that a function leaves as they were, and where its caller goes on.
static const char *const kept[] = { "rbx", "rbp", "r12", "r13", "r14", "r15", "rsp", "rip" };
enum { NR_KEPT = sizeof(kept) / sizeof(*kept) };

static struct dc_error *read_register(struct shell *shell, pid_t tid, unsigned frame,
				      const char *name, uint64_t *ret)
{
	struct dc_result result;
	char text[32];

	snprintf(text, sizeof(text), "(unsigned long)$%s", name);

	struct dc_error *err = in_frame(shell, tid, frame, text, &result);

	*ret = 0;
	if (!err && result.value->bytes)
		memcpy(ret, result.value->bytes, sizeof(*ret));
	dc_result_deinit(&result);
	return err;
}

// "double" of "double (int)"; of what has no such text, nothing.
static char *result_type(struct shell *shell, const char *function)
{
	char *type = NULL, *end;

	dc_error_destroy(dc_type_text(shell->session, function, NULL, DC_TYPE_NAME, &type));
	end = type ? strstr(type, " (") : NULL;
	if (end && end[2] != '*')
		*end = '\0';
	else if (end)
		strcpy(type, "void *");
	return type;
}

// The value as an assignment to the register that it is returned in.
static int returned(struct shell *shell, pid_t tid, unsigned frame, const struct dc_place *place,
		    const char *text, char assignment[64])
{
	char *type = place->frame.function ? result_type(shell, place->frame.function) : NULL;
	char *whole = NULL;
	struct dc_result result = { 0 };
	struct dc_error *err = NULL;
	int status = 0;
	uint64_t bits = 0;

	*assignment = '\0';
	if (!type || asprintf(&whole, "(%s)(%s)", type, text) < 0)
		status = report_message(shell->out, DC_TYPE, "what %s returns is not known",
					place->frame.function ? place->frame.function
							      : "the function");
	if (!status)
		err = in_frame(shell, tid, frame, whole, &result);
	if (err) {
		err->column = -1;
		status = report_failure(shell->out, NULL, err);
	} else if (!status) {
		const struct dc_type *of = &result.value->type;
		bool is_whole = of->kind == DC_TYPE_INTEGER || of->kind == DC_TYPE_BOOL ||
				of->kind == DC_TYPE_ENUM || of->kind == DC_TYPE_POINTER;

		if (!is_whole || of->size > sizeof(bits) || !result.value->bytes)
			status = report_message(
				shell->out, DC_TYPE,
				"a value of type %s is not returned in $rax: set its registers, "
				"then return without one",
				type);
		else
			memcpy(&bits, result.value->bytes, of->size);
		if (!status && of->is_signed && of->size < sizeof(bits)) {
			unsigned shift = 64 - 8 * (unsigned)of->size;

			bits = (uint64_t)((int64_t)(bits << shift) >> shift);
		}
		snprintf(assignment, 64, "$rax = (long)0x%" PRIx64 ", ", bits);
	}
	dc_result_deinit(&result);
	free(whole);
	free(type);
	return status;
}

static struct dc_error *pop(struct shell *shell, pid_t tid, unsigned frame, const char *value)
{
	char text[1024];
	size_t n = (size_t)snprintf(text, sizeof(text), "(%s$orig_rax = -1", value);

	for (size_t i = 0; i < NR_KEPT; i++) {
		uint64_t bits;
		struct dc_error *err = read_register(shell, tid, frame + 1, kept[i], &bits);

		if (err)
			return err;
		n += (size_t)snprintf(text + n, sizeof(text) - n, ", $%s = (long)0x%" PRIx64,
				      kept[i], bits);
	}
	snprintf(text + n, sizeof(text) - n, ")");
	return assign(shell, tid, text);
}

// A function that is inlined has no frame to leave.
static struct dc_error *look_inlined(struct shell *shell, pid_t tid, unsigned frame, bool *ret)
{
	struct dc_stack stack;
	struct dc_error *err = dc_frames(shell->session, tid, &stack);

	*ret = !err && frame < stack.nr_frames && stack.frames[frame].is_inlined;
	if (!err)
		dc_stack_deinit(&stack);
	return err;
}

int command_return(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	pid_t tid = shell_standing(shell);
	unsigned frame = *shell->frame ? (unsigned)strtoul(shell->frame, NULL, 10) : 0;
	char number[16], value[64] = "";
	struct dc_place place;
	int status = 0;

	(void)session;
	if (!tid)
		return no_thread(out);
	snprintf(number, sizeof(number), "%u", frame);

	struct dc_error *err = dc_place(
		shell->session, &(struct dc_scope){ .thread = tid, .frame = number }, &place);
	bool is_inlined = false;

	if (!err)
		err = look_inlined(shell, tid, frame, &is_inlined);
	if (err)
		return report_failure(out, NULL, err);
	if (is_inlined)
		return report_message(out, DC_REFUSED, "%.100s is inlined: it has no return",
				      place.frame.function ? place.frame.function : "the frame");
	if (words->nr)
		status = returned(shell, tid, frame, &place, words->operands[0], value);
	if (status || !may(shell, "Make %.100s return now?",
			   place.frame.function ? place.frame.function : "the frame"))
		return status;
	err = pop(shell, tid, frame, value);
	if (err)
		return report_failure(out, NULL, err);
	shell_choose(shell, tid);
	return shell_say_frame(shell);
}
