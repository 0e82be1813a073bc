// SPDX-License-Identifier: MIT
// Processes that the target makes: the client is asked for a session for each, which finds it where
// it begins. Until then it sleeps there, and nobody follows it.
#include "debugger/front/dap/dap.h"

#include <stdio.h>

static json_t *configuration_of(const struct dap *dap, pid_t child)
{
	static const char *const parents_own[] = { "processId", "program",     "args",	    "env",
						   "console",	"stopOnEntry", "killOnExit" };
	json_t *configuration = json_copy(dap->configuration);

	for (size_t i = 0; i < sizeof(parents_own) / sizeof(*parents_own); i++)
		json_object_del(configuration, parents_own[i]);
	if (!json_object_get(configuration, "type"))
		json_object_set_new(configuration, "type", json_string("debugcall"));
	json_object_set_new(configuration, "request", json_string("attach"));
	json_object_set_new(configuration, "pid", json_integer(child));
	json_object_set_new(configuration, "isChild", json_true());
	json_object_set_new(configuration, "name", json_sprintf("child %d", child));
	return configuration;
}

void dap_ask_for_session(struct dap *dap, pid_t child)
{
	char key[24];

	dap_ask_client(dap, "startDebugging",
		       json_pack("{ss so}", "request", "attach", "configuration",
				 configuration_of(dap, child)));
	snprintf(key, sizeof(key), "%jd", (intmax_t)dap->seq);
	if (!dap->children)
		dap->children = json_object();
	json_object_set_new(dap->children, key, json_integer(child));
}

// Nobody will take it, so it need not wait.
static void wake(pid_t child)
{
	struct dc_control_options control;
	struct dc_session *session = NULL;
	struct dc_options options;
	struct dc_error *err;

	dc_options_init(&options);
	options.pid = child;
	dc_control_options_init(&control);
	control.is_child = true;
	err = dc_open(&options, &session);
	if (!err)
		err = dc_control(session, &control);
	dc_error_destroy(err);
	dc_close(session);
}

void dap_child_answered(struct dap *dap, const json_t *message)
{
	bool good = json_is_true(json_object_get(message, "success"));
	char key[24];
	pid_t child;

	snprintf(key, sizeof(key), "%jd",
		 (intmax_t)json_integer_value(json_object_get(message, "request_seq")));
	child = (pid_t)json_integer_value(json_object_get(dap->children, key));
	if (!child)
		return;
	json_object_del(dap->children, key);
	if (!good)
		wake(child);
}
