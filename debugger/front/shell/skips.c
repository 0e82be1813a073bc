// SPDX-License-Identifier: MIT
// The command skip, and how a step leaves what it has come into.
#include "debugger/front/shell/skips.h"

#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/shell.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static bool is_file(const char *pattern, const char *file)
{
	size_t n = strlen(file), length = strlen(pattern);

	if (!fnmatch(pattern, file, 0))
		return true;
	// "cache.c" is any of that name.
	return n > length && file[n - length - 1] == '/' && !strcmp(file + n - length, pattern);
}

static bool is_skipped(const struct shell *shell, const struct dc_frame *frame)
{
	for (const struct skip *skip = shell->skips; skip; skip = skip->next) {
		if (skip->is_disabled)
			continue;
		if (skip->function &&
		    (!frame->function || fnmatch(skip->function, frame->function, 0) != 0))
			continue;
		if (skip->file && (!frame->file || !is_file(skip->file, frame->file)))
			continue;
		return true;
	}
	return false;
}

bool skips_go_on(struct shell *shell, const struct dc_stop *stop, struct dc_error **err)
{
	struct stepping *stepping = &shell->stepping;
	struct dc_step_options options = { .thread = stop->thread,
					   .how = DC_STEP_INTO,
					   .alone = stepping->alone };

	*err = NULL;
	if (!stepping->thread || stop->thread != stepping->thread)
		return false;
	if (stop->reason != DC_STOP_STEP) {
		stepping->thread = 0;
		return false;
	}
	if (stepping->leaves) {
		// Back in the midst of the line that it was called in.
		stepping->leaves = false;
	} else if (is_skipped(shell, &stop->frame)) {
		stepping->leaves = true;
		options.how = DC_STEP_OUT;
	} else if (!--stepping->left) {
		stepping->thread = 0;
		return false;
	}
	*err = dc_step(shell->session, &options);
	return !*err;
}

// ---- skip -----------------------------------------------------------------------------------------

static int no_frame(struct shell *shell, const struct dc_place *place, bool wants_file)
{
	return report_message(shell->out, DC_NAME, "the frame's %s is not known%s",
			      wants_file ? "file" : "function",
			      place->frame.module ? "; name one" : "");
}

// "function NAME", "file NAME", "NAME", or those of the frame.
static int parse(struct shell *shell, const struct words *words, struct skip *ret)
{
	bool wants_file = words->nr && !strcmp(words->operands[0], "file");
	bool is_named = wants_file || (words->nr && !strcmp(words->operands[0], "function"));
	struct dc_place place;
	const char *name;

	if (words->nr > (is_named ? 2 : 1))
		return report_message(shell->out, DC_USAGE,
				      "skip wants function NAME or file NAME");
	name = words->nr > is_named ? words->operands[is_named] : NULL;
	if (!name) {
		struct dc_error *err;

		if (!shell->session)
			return report_message(shell->out, DC_USAGE,
					      "there is no frame: name a function or a file");
		err = dc_place(shell->session, &shell->usual.scope, &place);
		if (err)
			return report_failure(shell->out, NULL, err);
		name = wants_file ? place.frame.file : place.frame.function;
		if (!name)
			return no_frame(shell, &place, wants_file);
	}
	*(wants_file ? &ret->file : &ret->function) = strdup(name);
	return ret->file || ret->function ? 0 : report_memory(shell->out);
}

static void say(struct records *out, const struct skip *skip)
{
	record_begin(out, "skip");
	record_count(out, "number", skip->number);
	record_text(out, "function", skip->function);
	record_text(out, "file", skip->file);
	record_flag(out, "enabled", !skip->is_disabled);
	record_end(out);
}

static void destroy(struct skip *skip)
{
	free(skip->function);
	free(skip->file);
	free(skip);
}

enum change { CHANGE_NONE, CHANGE_DELETE, CHANGE_ENABLE, CHANGE_DISABLE };

static enum change change_of(const struct words *words)
{
	static const char *const names[] = { "delete", "enable", "disable" };

	for (int i = 0; words->nr && i < 3; i++) {
		if (!strcmp(words->operands[0], names[i]))
			return CHANGE_DELETE + i;
	}
	return CHANGE_NONE;
}

// number: 0 is all. False: there is none.
static bool change(struct shell *shell, unsigned long number, enum change how)
{
	bool found = !number;

	for (struct skip **at = &shell->skips; *at;) {
		struct skip *skip = *at;

		if (number && skip->number != number) {
			at = &skip->next;
			continue;
		}
		found = true;
		if (how != CHANGE_DELETE) {
			skip->is_disabled = how == CHANGE_DISABLE;
			at = &skip->next;
			continue;
		}
		*at = skip->next;
		destroy(skip);
	}
	return found;
}

int command_skip(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	enum change how = change_of(words);
	struct skip **end = &shell->skips;

	(void)session;
	if (how != CHANGE_NONE && words->nr == 1)
		change(shell, 0, how);
	for (size_t i = 1; how != CHANGE_NONE && i < words->nr; i++) {
		unsigned long number = strtoul(words->operands[i], NULL, 10);

		if (!number || !change(shell, number, how))
			return report_message(out, DC_USAGE, "no skip '%.100s'",
					      words->operands[i]);
	}
	if (how != CHANGE_NONE)
		return 0;

	struct skip *skip = calloc(1, sizeof(*skip));
	int status = skip ? parse(shell, words, skip) : report_memory(out);

	if (status) {
		if (skip)
			destroy(skip);
		return status;
	}
	skip->number = ++shell->last_skip;
	while (*end)
		end = &(*end)->next;
	*end = skip;
	say(out, skip);
	return 0;
}

int command_info_skip(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	for (const struct skip *skip = words->shell->skips; skip; skip = skip->next)
		say(out, skip);
	if (!words->shell->skips)
		report_note(out, "nothing is skipped");
	return 0;
}

void skips_deinit(struct shell *shell)
{
	change(shell, 0, CHANGE_DELETE);
}
