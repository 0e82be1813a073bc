// SPDX-License-Identifier: MIT
// The program and its libraries.
#include "debugger/front/dap/dap.h"

#include <inttypes.h>

static json_t *describe(const struct dc_module *module)
{
	return json_pack("{so so so ss so}", "id", json_text(module->path), "name",
			 json_text(module->name), "path", json_text(module->path), "symbolStatus",
			 module->problem     ? module->problem
			 : module->has_debug ? "debug information"
					     : "no debug information",
			 "addressRange",
			 json_sprintf("0x%" PRIx64 "-0x%" PRIx64, module->start, module->end));
}

static bool add_module(const struct dc_module *module, void *arg)
{
	json_array_append_new(arg, describe(module));
	return true;
}

// ---- Those that come and go ----

static bool note_module(const struct dc_module *module, void *arg)
{
	json_t *json = describe(module);

	json_object_set(arg, json_string_value(json_object_get(json, "id")), json);
	json_decref(json);
	return true;
}

static struct dc_error *note_all(struct dc_session *session, json_t **ret)
{
	*ret = json_object();
	return dc_modules(session, note_module, *ret);
}

struct dc_error *dap_note_modules(struct dap *dap, struct dc_session *session)
{
	json_decref(dap->modules);
	return note_all(session, &dap->modules);
}

// Those that the first has and the second has not.
static void tell_difference(struct request *request, json_t *these, const json_t *others,
			    const char *reason)
{
	const char *id;
	json_t *module;

	json_object_foreach(these, id, module)
	{
		if (!json_equal(module, json_object_get(others, id)))
			request_tell(request, "module",
				     json_pack("{ss sO}", "reason", reason, "module", module));
	}
}

struct dc_error *dap_modules_changed(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	struct dap *dap = request->dap;
	json_t *before = dap->modules;
	struct dc_error *err = note_all(session, &dap->modules);

	if (!err) {
		tell_difference(request, before, dap->modules, "removed");
		tell_difference(request, dap->modules, before, "new");
		breakpoints_look_again(request, session);
	}
	json_decref(before);
	return err;
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
