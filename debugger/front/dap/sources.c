// SPDX-License-Identifier: MIT
// Source files: by what path the client has them and by what the debug information, and what is in
// them.
#include "debugger/front/dap/dap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- Paths ----

// Where the client has the file.
static char *mapped(const struct dap *dap, const char *file)
{
	json_t *pair;
	size_t i;
	char *path;

	json_array_foreach(dap->source_map, i, pair)
	{
		const char *from = json_string_value(json_array_get(pair, 0));
		size_t n = strlen(from);

		if (strncmp(file, from, n) != 0 ||
		    (n && from[n - 1] != '/' && file[n] && file[n] != '/'))
			continue;
		if (asprintf(&path, "%s%s", json_string_value(json_array_get(pair, 1)), file + n) <
		    0)
			return NULL;
		return path;
	}
	return strdup(file);
}

// A name that is relative to where it was compiled: below the client's folder, or the program's.
static char *absolute(const struct dap *dap, char *path)
{
	char link[64], theirs[4096];
	const char *folders[] = { dap->cwd, theirs };

	if (*path == '/')
		return path;
	snprintf(link, sizeof(link), "/proc/%d/cwd", dap->pid);
	ssize_t n = readlink(link, theirs, sizeof(theirs) - 1);

	theirs[n > 0 ? n : 0] = '\0';
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		char *whole;

		if (!*folders[i] || asprintf(&whole, "%s/%s", folders[i], path) < 0)
			continue;
		if (!access(whole, F_OK)) {
			free(path);
			return whole;
		}
		free(whole);
	}
	return path;
}

char *dap_path(const struct dap *dap, const char *file)
{
	char *path = mapped(dap, file);

	return path ? absolute(dap, path) : NULL;
}

json_t *dap_source(const struct dap *dap, const char *file)
{
	char *path = file ? dap_path(dap, file) : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;
	json_t *source = NULL;

	if (path)
		source = json_pack("{so* so*}", "name", json_text(slash ? slash + 1 : path), "path",
				   json_text(path));
	free(path);
	return source;
}

// Where the client has the file, as the debug information may know it: sourceMap the other way.
char *dap_unmapped(const struct dap *dap, const char *path)
{
	char *name;

	for (size_t i = 0; i < json_array_size(dap->source_map); i++) {
		const json_t *pair = json_array_get(dap->source_map, i);
		const char *to = json_string_value(json_array_get(pair, 1));
		size_t n = strlen(to);

		if (strncmp(path, to, n) != 0 ||
		    (path[n] && path[n] != '/' && n && to[n - 1] != '/'))
			continue;
		return asprintf(&name, "%s%s", json_string_value(json_array_get(pair, 0)),
				path + n) < 0
			       ? NULL
			       : name;
	}
	return strdup(path);
}

struct finding {
	const struct dap *dap;
	const char *path; // the client's
	bool (*visit)(const struct dc_line *, void *);
	void *arg;
	bool found;
};

static bool find_line(const struct dc_line *line, void *arg)
{
	struct finding *finding = arg;
	char *back = line->file ? dap_path(finding->dap, line->file) : NULL;
	bool is_it = back && (*back != '/' || !strcmp(back, finding->path));

	free(back);
	if (!is_it)
		return true;
	finding->found = true;
	return finding->visit(line, finding->arg);
}

struct dc_error *dap_find_line(struct request *request, struct dc_session *session,
			       const char *path, int line,
			       bool (*visit)(const struct dc_line *, void *), void *arg)
{
	struct finding finding = { request->dap, path, visit, arg, false };
	char *whole = dap_unmapped(request->dap, path);
	struct dc_error *last = NULL;

	for (const char *rest = whole; rest && *rest && !finding.found;
	     rest = strchr(rest + 1, '/')) {
		char *place;

		if (asprintf(&place, "%s:%d", rest + (rest != whole), line) < 0)
			break;
		dc_error_destroy(last);
		last = dc_find_lines(session, place, NULL, false, find_line, &finding);
		free(place);
		if (last && last->code != DC_NAME)
			break;
	}
	free(whole);
	return last;
}

// ---- Files ----

// Ours have paths, which clients open by themselves; one that has another file system asks.
struct dc_error *dap_source_text(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	const json_t *source = argument_object(request, request->arguments, "source");
	const char *path = argument_text(request, source, "path", true);
	struct stat stat_;
	FILE *file;
	char *text = NULL;
	size_t size = 0;
	ssize_t n;

	(void)session;
	if (request->complaint)
		return NULL;
	// Others may have no end.
	file = !stat(path, &stat_) && S_ISREG(stat_.st_mode) ? fopen(path, "re") : NULL;
	n = file ? getdelim(&text, &size, '\0', file) : -1;
	if (n < 0)
		request_complain(request, "the file '%s' cannot be read here", path);
	else
		request->body = json_pack("{so}", "content", json_text(text));
	if (file)
		fclose(file);
	free(text);
	return NULL;
}

struct collected {
	uint64_t *addrs; // of functions
	size_t n;
	bool failed;
};

static bool collect(const struct dc_function *function, void *arg)
{
	enum { FUNCTIONS_MAX = 1 << 18 };
	struct collected *collected = arg;

	// Without a prototype there is no debug information, and no file.
	if (!function->prototype || !function->addr)
		return true;
	if (!(collected->n & (collected->n - 1))) {
		uint64_t *more = reallocarray(collected->addrs, collected->n ? 2 * collected->n : 1,
					      sizeof(*more));

		if (!more) {
			collected->failed = true;
			return false;
		}
		collected->addrs = more;
	}
	collected->addrs[collected->n++] = function->addr;
	return collected->n < FUNCTIONS_MAX;
}

// The files that have functions.
struct dc_error *dap_loaded_sources(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	struct collected collected = { 0 };
	struct dc_error *err = dc_functions(session, NULL, collect, &collected);
	json_t *seen = json_object(), *sources = json_array();

	if (collected.failed)
		request_complain(request, "out of memory");
	for (size_t i = 0; !err && i < collected.n; i++) {
		struct dc_frame frame;
		size_t n;

		err = dc_describe(session, collected.addrs[i], &frame, 1, &n);
		if (err || !n || !frame.file || json_object_get(seen, frame.file))
			continue;
		json_object_set_new(seen, frame.file, json_true());
		json_array_append_new(sources, dap_source(request->dap, frame.file));
	}
	free(collected.addrs);
	json_decref(seen);
	request->body = json_pack("{so}", "sources", sources);
	return err;
}

// ---- Places ----

static bool add_location(const struct dc_line *line, void *arg)
{
	json_array_append_new(arg, json_integer(line->line));
	return true;
}

// The lines from the first to the last that have code. A place that has none is moved on to one
// that has, so the line found tells.
struct dc_error *dap_breakpoint_locations(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	const struct dap *dap = request->dap;
	const json_t *source = argument_object(request, request->arguments, "source");
	const char *path = argument_text(request, source, "path", true);
	int64_t first = argument_integer(request, request->arguments, "line", true, 0);
	int64_t last = argument_integer(request, request->arguments, "endLine", false, first);
	json_t *list;

	if (last - first > 1000)
		last = first + 1000;
	if (request->complaint)
		return NULL;
	list = json_array();
	for (int64_t line = first; line <= last;) {
		json_t *found = json_array();
		struct dc_error *err = dap_find_line(
			request, session, path, (int)line + dap->lines_from_0, add_location, found);
		int64_t next = json_integer_value(json_array_get(found, 0)) - dap->lines_from_0;

		dc_error_destroy(err);
		json_decref(found);
		if (err || next < line || next > last)
			break;
		json_array_append_new(list, json_pack("{sI}", "line", (json_int_t)next));
		line = next + 1;
	}
	request->body = json_pack("{so}", "breakpoints", list);
	return NULL;
}
