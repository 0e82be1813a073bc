// SPDX-License-Identifier: MIT
// What the program consists of: modules, sources, places in them, names for completion.
#include "debugger/front/dap/dap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- Modules ----

static bool add_module(const struct dc_module *module, void *arg)
{
	json_t *json = json_pack(
		"{so so so ss so}", "id", json_text(module->path), "name", json_text(module->name),
		"path", json_text(module->path), "symbolStatus",
		module->problem	    ? module->problem
		: module->has_debug ? "debug information"
				    : "no debug information",
		"addressRange",
		json_sprintf("0x%" PRIx64 "-0x%" PRIx64, module->start, module->end));

	json_array_append_new(arg, json);
	return true;
}

struct dc_error *dap_modules(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	int64_t start = argument_integer(request, request->arguments, "startModule", false, 0);
	int64_t count = argument_integer(request, request->arguments, "moduleCount", false, 0);
	json_t *modules, *page;
	struct dc_error *err;

	if (start < 0 || count < 0)
		request_complain(request, "modules are counted from 0");
	if (request->complaint)
		return NULL;
	modules = json_array();
	page = json_array();
	err = dc_modules(session, add_module, modules);
	for (size_t i = (size_t)start; i < json_array_size(modules); i++) {
		if (!count || i - (size_t)start < (size_t)count)
			json_array_append(page, json_array_get(modules, i));
	}
	request->body = json_pack("{so sI}", "modules", page, "totalModules",
				  (json_int_t)json_array_size(modules));
	json_decref(modules);
	return err;
}

// ---- Sources ----

// Ours have paths, which clients open by themselves; one that has another file system asks.
struct dc_error *dap_source_text(struct request *request)
{
	const json_t *source = argument_object(request, request->arguments, "source");
	const char *path = argument_text(request, source, "path", true);
	FILE *file = path && !request->complaint ? fopen(path, "re") : NULL;
	char *text = NULL;
	size_t size = 0;

	if (request->complaint)
		return NULL;
	ssize_t n = file ? getdelim(&text, &size, '\0', file) : -1;

	if (n < 0)
		request_complain(request, "the file '%s' cannot be read here", path ?: "");
	else
		request->body = json_pack("{so}", "content", json_text(text));
	if (file)
		fclose(file);
	free(text);
	return NULL;
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
