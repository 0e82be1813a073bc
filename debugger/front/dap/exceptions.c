// SPDX-License-Identifier: MIT
// Exceptions, as the client calls them: faults, and what else is caught and has no place in a source.
#include "debugger/front/dap/dap.h"

#include <string.h>

static const char names_only[] = "Names with spaces between; none: all of them";
static const char global_names[] =
	"An expression of global names; $rdi and its kin are the runtime's "
	"arguments";

// What the client calls exceptions. Without a function it is one of the library's catches; words:
// what it takes as a condition are names of what is caught.
static const struct filter {
	const char *filter, *label, *description, *function;
	enum dc_breakpoint_kind kind;
	bool takes_words;
} filters[] = {
	{ "throw", "C++: throw", "Each exception as it is thrown", NULL, DC_CATCH_THROW, false },
	{ "rethrow", "C++: throw again", "Each exception as it is thrown again", NULL,
	  DC_CATCH_RETHROW, false },
	{ "catch", "C++: catch", "Each exception as it is caught", NULL, DC_CATCH_CATCH, false },
	{ "panic", "libgort: panic", "Each panic of a goroutine of libgort", "gort_panic", DC_BREAK,
	  false },
	{ "signals", "Signals", "Before a thread receives one", NULL, DC_CATCH_SIGNAL, true },
	{ "syscalls", "System calls", "Before each is made, and behind it", NULL, DC_CATCH_SYSCALL,
	  true },
	{ "forks", "Processes", "Each process that it makes", NULL, DC_CATCH_FORK, false },
};
enum { NR_FILTERS = sizeof(filters) / sizeof(*filters) };

struct dc_error *dap_set_exception(struct request *request, struct dc_session *session,
				   struct breakpoint *breakpoint)
{
	const char *name = argument_text(request, breakpoint->asked, "filterId", true);

	for (size_t i = 0; name && i < NR_FILTERS; i++) {
		struct dc_breakpoint_options options = { .kind = filters[i].kind,
							 .place = filters[i].function };

		if (strcmp(filters[i].filter, name) != 0)
			continue;
		breakpoint->condition_is_place = filters[i].takes_words;
		return breakpoint_set(session, breakpoint, &options);
	}
	request_complain(request, "there is no exception filter '%.40s'", name ?: "");
	return NULL;
}

json_t *dap_exception_filters(void)
{
	json_t *list = json_pack(
		"[{ss ss sb ss}]", "filter", "faults", "label", "Faults and aborts", "default", 1,
		"description",
		"SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, while the process is under "
		"control");

	for (size_t i = 0; i < NR_FILTERS; i++)
		json_array_append_new(
			list, json_pack("{ss ss ss sb ss}", "filter", filters[i].filter, "label",
					filters[i].label, "description", filters[i].description,
					"supportsCondition", 1, "conditionDescription",
					filters[i].takes_words ? names_only : global_names));
	return list;
}

struct dc_error *dap_set_exception_breakpoints(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	struct dap *dap = request->dap;
	const json_t *names = argument_list(request, request->arguments, "filters");
	const json_t *options = argument_list(request, request->arguments, "filterOptions");
	json_t *asked = json_array();

	dap->stops_at_faults = false;
	for (size_t i = 0; i < json_array_size(names); i++)
		json_array_append_new(asked,
				      json_pack("{sO}", "filterId", json_array_get(names, i)));
	for (size_t i = 0; i < json_array_size(options); i++)
		json_array_append(asked, json_array_get(options, i));
	for (size_t i = 0; i < json_array_size(asked);) {
		const char *filter = json_string_value(
			json_object_get(json_array_get(asked, i), "filterId"));

		if (filter && !strcmp(filter, "faults")) {
			dap->stops_at_faults = true;
			json_array_remove(asked, i);
		} else {
			i++;
		}
	}
	struct dc_error *err = request->complaint
				       ? NULL
				       : breakpoints_replace(request, session, SET_EXCEPTIONS, NULL,
							     asked);

	json_decref(asked);
	if (!err && dc_is_controlled(session))
		err = dap_take_control(request, session);
	return err;
}
