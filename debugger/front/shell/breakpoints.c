// SPDX-License-Identifier: MIT
// Commands about breakpoints: set, changed, listed, and what is done when they stop a thread.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/running.h"
#include "debugger/front/shell/values.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- setting --------------------------------------------------------------------------------------

static const char *find_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at++) {
		if ((at == text || at[-1] == ' ') && (at[n] == ' ' || at[n] == '('))
			return at;
	}
	return NULL;
}

// "PLACE", as the library knows it: a bare line is one of the frame's file, *EXPR a number.
static char *whole_place(struct shell *shell, const char *text, int *status)
{
	struct dc_place place;
	struct dc_error *err = NULL;
	char *whole = NULL;
	uint64_t addr;
	bool is_line = *text && strspn(text, "0123456789") == strlen(text);

	*status = 0;
	if (*text == '*') {
		err = shell_integer(shell, text + 1, &addr);
		if (!err && asprintf(&whole, "*0x%" PRIx64, addr) < 0)
			whole = NULL;
	} else if (is_line || !*text) {
		err = dc_place(shell->session, &shell->usual.scope, &place);
		if (!err && is_line && !place.frame.file)
			*status = report_message(shell->out, DC_NAME,
						 "the frame is in no source file: say FILE:LINE");
		else if (!err && (is_line ? asprintf(&whole, "%s:%s", place.frame.file, text)
					  : asprintf(&whole, "*0x%" PRIx64, place.frame.pc)) < 0)
			whole = NULL;
	} else {
		whole = strdup(text);
	}
	if (err)
		*status = report_failure(shell->out, NULL, err);
	else if (!whole && !*status)
		*status = report_memory(shell->out);
	return whole;
}

struct naming {
	struct records *out;
	unsigned number;
};

// The command that sets one.
static const char *const setters[] = { [DC_BREAK] = "break",
				       [DC_WATCH] = "watch",
				       [DC_WATCH_READ] = "rwatch",
				       [DC_WATCH_ACCESS] = "awatch",
				       [DC_CATCH_SYSCALL] = "catch syscall",
				       [DC_CATCH_SIGNAL] = "catch signal",
				       [DC_CATCH_FORK] = "catch fork",
				       [DC_CATCH_VFORK] = "catch vfork",
				       [DC_CATCH_EXEC] = "catch exec",
				       [DC_CATCH_LOAD] = "catch load",
				       [DC_CATCH_THROW] = "catch throw",
				       [DC_CATCH_RETHROW] = "catch rethrow",
				       [DC_CATCH_CATCH] = "catch catch" };
enum { NR_SETTERS = sizeof(setters) / sizeof(*setters) };

static bool is_watched(enum dc_breakpoint_kind kind)
{
	return kind == DC_WATCH || kind == DC_WATCH_READ || kind == DC_WATCH_ACCESS;
}

static const char *const ways[] = { [DC_ARMED_BY_NOTHING] = NULL,
				    [DC_ARMED_BY_HARDWARE] = "hardware",
				    [DC_ARMED_BY_UPROBE] = "uprobe",
				    [DC_ARMED_BY_PATCH] = "int3" };

static bool say_breakpoint(const struct dc_breakpoint *breakpoint, void *arg)
{
	struct naming *naming = arg;
	struct records *out = naming->out;

	if (naming->number && breakpoint->number != naming->number)
		return true;
	record_begin(out, "breakpoint");
	record_count(out, "number", breakpoint->number);
	record_text(out, "set_by", setters[breakpoint->kind]);
	record_text(out, "place", breakpoint->place);
	record_text(out, "condition", breakpoint->condition);
	if (breakpoint->condition)
		record_text(out, "judged_by", breakpoint->in_kernel ? "kernel" : "debugger");
	record_text(out, "why_not_kernel", breakpoint->why_not_kernel);
	if (breakpoint->unjudged)
		record_count(out, "unjudged", breakpoint->unjudged);
	if (breakpoint->thread)
		record_integer(out, "thread", breakpoint->thread);
	record_flag(out, "enabled", breakpoint->enabled);
	record_flag(out, "temporary", breakpoint->temporary);
	record_count(out, "hits", breakpoint->hits);
	record_count(out, "ignore", breakpoint->ignore);
	record_text(out, "armed_by", ways[breakpoint->armed_by]);
	// What is watched is data, and where its frame returns to is no place of the user's.
	if (is_watched(breakpoint->kind) && breakpoint->nr_locations)
		record_address(out, "address", breakpoint->locations[0].at.pc);
	record_list(out, "locations");
	for (size_t i = 0; breakpoint->kind == DC_BREAK && i < breakpoint->nr_locations; i++)
		report_frame(out, NULL, &breakpoint->locations[i].at);
	record_close(out);
	record_end(out);
	return !out->unwanted;
}

static int set(struct shell *shell, struct dc_breakpoint_options *options, unsigned *number)
{
	struct dc_error *err = shell_control(shell);

	if (!err)
		err = dc_breakpoint_set(shell->session, options, number);
	if (err && err->wants_patch && !shell->settings.no_patch) {
		dc_error_destroy(err);
		report_patch(shell->out, options->place);
		dc_allow_patches(shell->session, true);
		err = dc_breakpoint_set(shell->session, options, number);
	}
	return err ? report_failure(shell->out, NULL, err) : 0;
}

int shell_break(struct shell *shell, const char *text, bool temporary, pid_t thread,
		unsigned *number)
{
	int status;
	char *place = whole_place(shell, text, &status);
	struct dc_breakpoint_options options = { .place = place,
						 .temporary = temporary,
						 .thread = thread };

	if (!status)
		status = set(shell, &options, number);
	free(place);
	return status;
}

// "WHAT thread N if COND": what is left of the text is WHAT.
static int take_clauses(struct shell *shell, char *text, struct dc_breakpoint_options *options)
{
	char *condition = (char *)find_word(text, "if"), *thread, *end;

	if (condition) {
		*condition = '\0';
		options->condition = condition + 2;
	}
	thread = (char *)find_word(text, "thread");
	if (thread) {
		unsigned long which = strtoul(thread + 7, &end, 10);

		*thread = '\0';
		options->thread = which && which <= shell->nr_threads ? shell->threads[which - 1]
								      : (pid_t)which;
		if (!which || *(end + strspn(end, " ")))
			return report_message(shell->out, DC_USAGE,
					      "thread wants the number of a thread");
	}
	end = text + strlen(text);
	while (end > text && end[-1] == ' ')
		*--end = '\0';
	return 0;
}

static int set_from(const struct words *words, struct dc_breakpoint_options options,
		    struct records *out)
{
	struct shell *shell = words->shell;
	char *text = strdup(words->nr ? words->operands[0] : ""), *place = NULL;
	unsigned number;
	int status;

	if (!text)
		return report_memory(out);
	status = take_clauses(shell, text, &options);
	options.place = options.kind >= DC_CATCH_SYSCALL && !*text ? NULL : text;
	if (!status && options.kind == DC_BREAK)
		options.place = place = whole_place(shell, text, &status);
	if (!status)
		status = set(shell, &options, &number);
	free(place);
	free(text);
	if (status)
		return status;

	struct dc_error *err = dc_breakpoints(shell->session, say_breakpoint,
					      &(struct naming){ out, number });

	return err ? report_failure(out, NULL, err) : 0;
}

int shell_break_and_say(struct shell *shell, const char *text)
{
	const struct words words = { .operands = &text, .nr = 1, .shell = shell };

	return set_from(&words, (struct dc_breakpoint_options){ .kind = DC_BREAK }, shell->out);
}

// "syscall read write": the kind, and what is left of the text is what it catches of it.
static int set_catch(const struct words *words, bool temporary, struct records *out)
{
	const char *text = words->operands[0];
	struct words what = *words;
	size_t n = strcspn(text, " \t");

	for (size_t kind = DC_CATCH_SYSCALL; kind < NR_SETTERS; kind++) {
		const char *name = setters[kind] + strlen("catch ");

		if (strncmp(text, name, n) != 0 || name[n])
			continue;
		text += n + strspn(text + n, " \t");
		what.operands = &text;
		what.nr = *text != 0;
		return set_from(
			&what,
			(struct dc_breakpoint_options){ .kind = (int)kind, .temporary = temporary },
			out);
	}
	return report_message(
		out, DC_USAGE,
		"catch wants syscall, signal, fork, vfork, exec, load, throw, rethrow "
		"or catch, not '%.*s'",
		(int)(n < 100 ? n : 100), text);
}

int command_catch(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	return set_catch(words, false, out);
}

int command_tcatch(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	return set_catch(words, true, out);
}

const char *shell_break_command(const struct dc_breakpoint *breakpoint)
{
	bool is_break = breakpoint->kind == DC_BREAK;

	return breakpoint->temporary && is_break ? "tbreak" : setters[breakpoint->kind];
}

#define SETS(name, ...)                                                                     \
	int command_##name(struct dc_session *session, const struct words *words,           \
			   struct records *out)                                             \
	{                                                                                   \
		(void)session;                                                              \
		return set_from(words, (struct dc_breakpoint_options){ __VA_ARGS__ }, out); \
	}
SETS(break, .kind = DC_BREAK)
SETS(tbreak, .kind = DC_BREAK, .temporary = true)
// The names are those of the chosen frame.
SETS(watch, .kind = DC_WATCH, .scope = &words->scope)
SETS(rwatch, .kind = DC_WATCH_READ, .scope = &words->scope)
SETS(awatch, .kind = DC_WATCH_ACCESS, .scope = &words->scope)

// ---- changing -------------------------------------------------------------------------------------

static bool last_number(const struct dc_breakpoint *breakpoint, void *arg)
{
	*(unsigned *)arg = breakpoint->number;
	return true;
}

// $bpnum is the last one.
static bool parse_number(struct dc_session *session, const char *text, unsigned *ret)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*ret = 0;
	if (!strcmp(text, "$bpnum")) {
		if (dc_is_controlled(session))
			dc_error_destroy(dc_breakpoints(session, last_number, ret));
		return *ret;
	}
	*ret = (unsigned)number;
	return isdigit((unsigned char)*text) && !*end && number && number <= UINT32_MAX;
}

struct numbers {
	unsigned *number;
	size_t n;
};

static bool collect(const struct dc_breakpoint *breakpoint, void *arg)
{
	struct numbers *numbers = arg;
	unsigned *more = reallocarray(numbers->number, numbers->n + 1, sizeof(*more));

	if (!more)
		return false;
	numbers->number = more;
	more[numbers->n++] = breakpoint->number;
	return true;
}

enum change { CHANGE_DELETE, CHANGE_ENABLE, CHANGE_DISABLE };

static struct dc_error *change_one(struct dc_session *session, unsigned number, enum change change)
{
	return change == CHANGE_DELETE
		       ? dc_breakpoint_delete(session, number)
		       : dc_breakpoint_enable(session, number, change == CHANGE_ENABLE);
}

// Those that are named, or all.
static int change(struct dc_session *session, const struct words *words, enum change change,
		  struct records *out)
{
	struct numbers all = { 0 };
	struct dc_error *err = NULL;
	size_t from = words->nr && !strcmp(words->operands[0], "breakpoints");

	if (!dc_is_controlled(session))
		return report_message(out, DC_USAGE, "there is no breakpoint");
	if (words->nr == from)
		err = dc_breakpoints(session, collect, &all);
	for (size_t i = 0; !err && i < all.n; i++)
		err = change_one(session, all.number[i], change);
	free(all.number);
	for (size_t i = from; !err && i < words->nr; i++) {
		unsigned number;

		if (!parse_number(session, words->operands[i], &number))
			return report_message(out, DC_USAGE, "'%.100s' is no breakpoint's number",
					      words->operands[i]);
		err = change_one(session, number, change);
	}
	return err ? report_failure(out, NULL, err) : 0;
}

int command_delete(struct dc_session *session, const struct words *words, struct records *out)
{
	return change(session, words, CHANGE_DELETE, out);
}

int command_enable(struct dc_session *session, const struct words *words, struct records *out)
{
	return change(session, words, CHANGE_ENABLE, out);
}

int command_disable(struct dc_session *session, const struct words *words, struct records *out)
{
	return change(session, words, CHANGE_DISABLE, out);
}

int command_ignore(struct dc_session *session, const struct words *words, struct records *out)
{
	unsigned number;
	char *end;
	unsigned long long hits = strtoull(words->operands[1], &end, 10);

	if (!parse_number(session, words->operands[0], &number) ||
	    !isdigit((unsigned char)*words->operands[1]) || *end)
		return report_message(out, DC_USAGE,
				      "ignore wants a breakpoint and a number of hits");

	struct dc_error *err = dc_breakpoint_ignore(session, number, hits);

	return err ? report_failure(out, NULL, err) : 0;
}

int command_condition(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *text = words->operands[0];
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || (*end && *end != ' '))
		return report_message(out, DC_USAGE,
				      "condition wants a breakpoint and an expression");
	end += strspn(end, " ");

	struct dc_error *err = dc_breakpoint_condition(session, (unsigned)number,
						       *end ? end : NULL);

	return err ? report_failure(out, *end ? end : NULL, err) : 0;
}

int command_info_breakpoints(struct dc_session *session, const struct words *words,
			     struct records *out)
{
	struct numbers all = { 0 };
	struct dc_error *err = NULL;

	(void)words;
	if (dc_is_controlled(session)) {
		err = dc_breakpoints(session, collect, &all);
		if (!err)
			err = dc_breakpoints(session, say_breakpoint, &(struct naming){ out, 0 });
	}
	if (!all.n && !err)
		report_note(out, "no breakpoints");
	free(all.number);
	return err ? report_failure(out, NULL, err) : 0;
}

// ---- what is done at a stop -----------------------------------------------------------------------

void shell_forget_scripts(struct shell *shell)
{
	struct breakpoint_script *script;

	while ((script = shell->scripts)) {
		shell->scripts = script->next;
		lines_deinit(&script->lines);
		free(script);
	}
}

int command_commands(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	struct lines lines = { 0 };
	int status = source_block(shell, "commands", &lines, NULL);
	unsigned number = 0;

	if (!status && words->nr && !parse_number(session, words->operands[0], &number))
		status = report_message(out, DC_USAGE, "'%.100s' is no breakpoint's number",
					words->operands[0]);
	if (!status && !words->nr && dc_is_controlled(session))
		dc_error_destroy(dc_breakpoints(session, last_number, &number));
	if (!status && !number)
		status = report_message(out, DC_USAGE, "there is no breakpoint");

	struct breakpoint_script *script = shell->scripts;

	while (script && script->number != number)
		script = script->next;
	if (!status && !script) {
		script = calloc(1, sizeof(*script));
		if (script) {
			script->next = shell->scripts;
			shell->scripts = script;
		} else {
			status = report_memory(out);
		}
	}
	if (status) {
		lines_deinit(&lines);
		return status;
	}
	lines_deinit(&script->lines);
	script->number = number;
	script->lines = lines;
	return 0;
}
