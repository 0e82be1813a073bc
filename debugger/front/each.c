// SPDX-License-Identifier: MIT
// --each-thread, --each-goroutine, --each-process.
#include "debugger/front/each.h"

#include "debugger/front/interrupt.h"
#include "debugger/front/report.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int worse(int a, int b)
{
	return a > b ? a : b;
}

static bool is_over(int status, const struct records *out)
{
	return status == dc_code_status(DC_CANCELLED) || out->unwanted;
}

int each_thread(struct dc_session *session, const struct words *words, struct records *out)
{
	struct words one = *words;
	struct dc_check check;
	struct dc_error *err = dc_check(session, NULL, &words->call, &check);
	int status = 0;

	if (err)
		return report_failure(out, NULL, err);
	one.each = EACH_NONE;
	for (size_t i = 0; i < check.nr_threads && !is_over(status, out); i++) {
		record_begin(out, "each");
		record_text(out, "what", "thread");
		record_integer(out, "thread", check.threads[i].tid);
		record_text(out, "name", check.threads[i].name);
		record_end(out);
		one.scope.thread = check.threads[i].tid;
		status = worse(status, command_evaluate(session, &one, out));
	}
	dc_check_deinit(&check);
	return status;
}

struct ids {
	uint64_t *id;
	size_t n;
};

static bool add_id(struct ids *ids, uint64_t id)
{
	uint64_t *more = reallocarray(ids->id, ids->n + 1, sizeof(*more));

	if (!more)
		return false;
	ids->id = more;
	more[ids->n++] = id;
	return true;
}

static bool see_goroutine(const struct dc_goroutine *goroutine, void *arg)
{
	// No call begins on the runtime's own.
	return goroutine->is_system || add_id(arg, goroutine->id);
}

int each_goroutine(struct dc_session *session, const struct words *words, struct records *out)
{
	struct words one = *words;
	struct ids ids = { 0 };
	struct dc_error *err = dc_goroutines(session, see_goroutine, &ids);
	int status = 0;

	if (err)
		return report_failure(out, NULL, err);
	one.each = EACH_NONE;
	for (size_t i = 0; i < ids.n && !is_over(status, out); i++) {
		record_begin(out, "each");
		record_text(out, "what", "goroutine");
		record_format(out, "goroutine", "%" PRIu64, ids.id[i]);
		record_end(out);
		one.scope.goroutine = ids.id[i];
		status = worse(status, command_evaluate(session, &one, out));
	}
	free(ids.id);
	return status;
}

// ---- processes ------------------------------------------------------------------------------------

// Its name and its parent's id, as /proc/PID/stat has them.
static bool stat_of(pid_t pid, char name[32], pid_t *parent)
{
	char path[32], text[512], state;
	size_t n;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	in = fopen(path, "re");
	if (!in)
		return false;
	n = fread(text, 1, sizeof(text) - 1, in);
	fclose(in);
	text[n] = '\0';

	// The name may have parentheses of its own.
	char *open = strchr(text, '('), *close = strrchr(text, ')');

	if (!open || !close || sscanf(close + 1, " %c %d", &state, parent) != 2 || state == 'Z')
		return false;
	snprintf(name, 32, "%.*s", (int)(close - open - 1), open + 1);
	return true;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static bool find_all(const char *who, struct ids *ids)
{
	DIR *directory = opendir("/proc");
	pid_t wanted = is_number(who) ? atoi(who) : 0, parent;
	bool good = directory;
	char name[32];

	for (struct dirent *entry; good && (entry = readdir(directory));) {
		pid_t pid = is_number(entry->d_name) ? atoi(entry->d_name) : 0;

		if (pid <= 0 || pid == getpid() || !stat_of(pid, name, &parent))
			continue;
		if (wanted ? parent == wanted : !strncmp(name, who, 15))
			good = add_id(ids, (uint64_t)pid);
	}
	if (directory)
		closedir(directory);
	return good;
}

static int in_process(struct options *options, pid_t pid, struct records *out)
{
	struct dc_options opening = options->session;
	struct words one = options->words;
	struct dc_session *session;
	char name[32] = "";
	pid_t parent;

	one.each = EACH_NONE;
	stat_of(pid, name, &parent);
	record_begin(out, "each");
	record_text(out, "what", "process");
	record_integer(out, "process", pid);
	record_text(out, "name", name);
	record_end(out);
	opening.pid = pid;

	struct dc_error *err = dc_open(&opening, &session);

	if (err)
		return report_failure(out, NULL, err);
	interrupt_session(session);

	int status = command_run(options->command, session, &one, out);

	interrupt_session(NULL);
	dc_close(session);
	return status;
}

int each_process(struct options *options, struct records *out)
{
	struct ids ids = { 0 };
	int status = 0;

	if (!find_all(options->who, &ids))
		status = report_memory(out);
	else if (!ids.n)
		status = report_message(out, DC_ATTACH,
					is_number(options->who) ? "process %s has no children"
								: "there is no process called %s",
					options->who);
	for (size_t i = 0; i < ids.n && !is_over(status, out); i++)
		status = worse(status, in_process(options, (pid_t)ids.id[i], out));
	free(ids.id);
	return status;
}
