// SPDX-License-Identifier: MIT
// The program and its libraries.
#include "debugger/front/dap/dap.h"

#include <inttypes.h>

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
