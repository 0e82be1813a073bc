// SPDX-License-Identifier: MIT
// Commands that run another one in many places: threads, frames, a goroutine.
#include "debugger/front/interrupt.h"
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/places.h"

#include <ctype.h>
#include <limits.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

static const char *behind(const char *text, size_t n)
{
	return text + n + strspn(text + n, " \t");
}

// The word that the text begins with is this one.
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(text, word, n) && (!text[n] || text[n] == ' ' || text[n] == '\t');
}

// gdb's words: -q says nothing about places, -s makes failures no matter, -c goes on, as is usual here.
struct manner {
	bool is_quiet, is_silent;
};

static const char *take_manner(const char *text, struct manner *ret)
{
	*ret = (struct manner){ 0 };
	for (;;) {
		if (has_word(text, "-q"))
			ret->is_quiet = true;
		else if (has_word(text, "-s"))
			ret->is_silent = true;
		else if (!has_word(text, "-c"))
			return text;
		text = behind(text, 2);
	}
}

// One place's. What it chooses, and where it was, is forgotten by the caller. The worst status.
static int obey(struct shell *shell, const char *command, const struct manner *manner, int worst)
{
	int status = shell_obey(shell, command, false);

	return manner->is_silent || status <= worst ? worst : status;
}

static bool goes_on(const struct shell *shell, int status)
{
	return status != dc_code_status(DC_CANCELLED) && !interrupt_came() && !shell->leaves &&
	       !shell->out->unwanted && shell->session;
}

// ---- threads --------------------------------------------------------------------------------------

struct tids {
	pid_t *tid;
	char (*name)[16];
	size_t n;
};

static void tids_deinit(struct tids *tids)
{
	free(tids->tid);
	free(tids->name);
}

static struct dc_error *all_threads(struct shell *shell, struct tids *ret)
{
	struct dc_check check;
	struct dc_error *err = dc_check(shell->session, NULL, &shell->usual.call, &check);

	*ret = (struct tids){ 0 };
	if (err)
		return err;
	ret->tid = calloc(check.nr_threads + 1, sizeof(*ret->tid));
	ret->name = calloc(check.nr_threads + 1, sizeof(*ret->name));
	for (size_t i = 0; ret->tid && ret->name && i < check.nr_threads; i++) {
		ret->tid[ret->n] = check.threads[i].tid;
		memcpy(ret->name[ret->n++], check.threads[i].name, sizeof(*ret->name));
	}
	dc_check_deinit(&check);
	return NULL;
}

// "all", "1 3-5", "1234": those that are meant. The rest of the text; NULL: it names none.
static const char *take_threads(struct shell *shell, const char *text, bool meant[],
				const struct tids *tids)
{
	if (has_word(text, "all") || has_word(text, "a")) {
		memset(meant, true, tids->n * sizeof(*meant));
		return behind(text, has_word(text, "a") ? 1 : 3);
	}

	bool any = false;

	while (isdigit((unsigned char)*text)) {
		char *end;
		unsigned long from = strtoul(text, &end, 10), to = from;

		if (*end == '-' && isdigit((unsigned char)end[1]))
			to = strtoul(end + 1, &end, 10);
		if (*end && *end != ' ' && *end != '\t')
			return NULL;
		for (size_t i = 0; i < tids->n; i++) {
			unsigned long number = shell_thread_number(shell, tids->tid[i]);
			unsigned long tid = (unsigned long)tids->tid[i];

			if ((number >= from && number <= to) || (from == to && tid == from))
				any = meant[i] = true;
		}
		text = behind(end, 0);
	}
	return any ? text : NULL;
}

static void say_thread(struct shell *shell, pid_t tid, const char *name)
{
	record_begin(shell->out, "each");
	record_text(shell->out, "what", "thread");
	record_count(shell->out, "number", shell_thread_number(shell, tid));
	record_integer(shell->out, "thread", tid);
	record_text(shell->out, "name", name);
	record_end(shell->out);
}

static int apply_to(struct shell *shell, const struct tids *tids, const bool meant[],
		    const char *text)
{
	struct scope_kept before = shell_keep_scope(shell);
	struct manner manner;
	const char *command = take_manner(text, &manner);
	int worst = 0;

	if (!*command)
		return report_message(shell->out, DC_USAGE, "which command is it?");
	for (size_t i = 0; i < tids->n && goes_on(shell, worst); i++) {
		if (!meant[i])
			continue;
		if (!manner.is_quiet)
			say_thread(shell, tids->tid[i], tids->name[i]);
		shell->usual.scope = (struct dc_scope){ .thread = tids->tid[i] };
		*shell->frame = '\0';
		worst = obey(shell, command, &manner, worst);
	}
	if (shell->session)
		shell_restore_scope(shell, &before);
	return worst;
}

int command_thread_apply(struct dc_session *session, const struct words *words, struct records *out)
{
	__attribute__((cleanup(tids_deinit))) struct tids tids;
	struct shell *shell = words->shell;
	struct dc_error *err = all_threads(shell, &tids);
	bool *meant = err ? NULL : calloc(tids.n + 1, sizeof(*meant));
	const char *text = meant ? take_threads(shell, words->operands[0], meant, &tids) : NULL;
	int status;

	(void)session;
	if (err)
		status = report_failure(out, NULL, err);
	else if (!meant)
		status = report_memory(out);
	else if (!text)
		status = report_message(out, DC_USAGE,
					"thread apply wants all, or numbers of threads that are "
					"there, then a command");
	else
		status = apply_to(shell, &tids, meant, text);
	free(meant);
	return status;
}

static bool matches(const regex_t *regex, const struct dc_stack *stack, pid_t tid)
{
	char id[16];

	snprintf(id, sizeof(id), "%d", tid);
	if (!regexec(regex, stack->name, 0, NULL, 0) || !regexec(regex, id, 0, NULL, 0) ||
	    (stack->wait && !regexec(regex, stack->wait, 0, NULL, 0)))
		return true;
	for (size_t i = 0; i < stack->nr_frames; i++) {
		const char *function = stack->frames[i].at.function;

		if (function && !regexec(regex, function, 0, NULL, 0))
			return true;
	}
	return false;
}

int command_thread_find(struct dc_session *session, const struct words *words, struct records *out)
{
	const struct dc_stacks_options options = { 0 };
	struct shell *shell = words->shell;
	struct dc_stacks stacks;
	regex_t regex;
	bool found = false;

	if (regcomp(&regex, words->operands[0], REG_EXTENDED | REG_NOSUB))
		return report_message(out, DC_USAGE, "'%.100s' is no regular expression",
				      words->operands[0]);

	struct dc_error *err = dc_stacks(session, &options, &stacks);

	if (err) {
		regfree(&regex);
		return report_failure(out, NULL, err);
	}
	for (size_t i = 0; i < stacks.nr_stacks; i++) {
		const struct dc_stack *stack = &stacks.stacks[i];

		if (!stack->thread || !matches(&regex, stack, stack->thread))
			continue;
		shell_say_thread_row(shell, stack);
		found = true;
	}
	dc_stacks_deinit(&stacks);
	regfree(&regex);
	return found ? 0
		     : report_message(out, DC_NAME, "no thread matches '%.100s'",
				      words->operands[0]);
}

// ---- frames ---------------------------------------------------------------------------------------

struct frames_meant {
	unsigned long from, to; // the last is not one of them
	bool is_outermost; // so many from that end
};

static const char *take_frames(const char *text, struct frames_meant *ret)
{
	char *end;

	*ret = (struct frames_meant){ .to = ULONG_MAX };
	if (has_word(text, "all"))
		return behind(text, 3);
	if (has_word(text, "level")) {
		text = behind(text, 5);
		if (!isdigit((unsigned char)*text))
			return NULL;
		ret->from = strtoul(text, &end, 10);
		ret->to = ret->from + 1;
		if (*end == '-' && isdigit((unsigned char)end[1]))
			ret->to = strtoul(end + 1, &end, 10) + 1;
		return *end == ' ' ? behind(end, 0) : NULL;
	}
	ret->is_outermost = *text == '-';
	text += ret->is_outermost;
	if (!isdigit((unsigned char)*text))
		return NULL;
	ret->to = strtoul(text, &end, 10);
	return *end == ' ' && ret->to ? behind(end, 0) : NULL;
}

int command_frame_apply(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	struct scope_kept before = shell_keep_scope(shell);
	struct frames_meant meant;
	struct manner manner;
	const char *command = take_frames(words->operands[0], &meant);
	size_t n;
	int worst = 0;

	(void)session;
	command = command ? take_manner(command, &manner) : NULL;
	if (!command || !*command)
		return report_message(out, DC_USAGE,
				      "frame apply wants all, N, -N or level N-M, then a command");

	struct dc_error *err = shell_count_frames(shell, &n);

	if (err)
		return report_failure(out, NULL, err);
	if (meant.is_outermost) {
		meant.from = n > meant.to ? n - meant.to : 0;
		meant.to = n;
	}
	// All of one thread, whoever is chosen by the way.
	shell->usual.scope.thread = shell_thread(shell);
	for (unsigned long i = meant.from; i < n && i < meant.to && goes_on(shell, worst); i++) {
		snprintf(shell->frame, sizeof(shell->frame), "%lu", i);
		shell->usual.scope.frame = shell->frame;
		if (!manner.is_quiet)
			shell_say_frame(shell);
		worst = obey(shell, command, &manner, worst);
	}
	if (shell->session)
		shell_restore_scope(shell, &before);
	return worst;
}
