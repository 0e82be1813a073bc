// SPDX-License-Identifier: MIT
// Arguments are read with their types; what is wrong is named.
#include "debugger/front/dap/request.h"

#include "debugger/front/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void request_complain(struct request *request, const char *format, ...)
{
	va_list args;

	if (request->complaint)
		return;
	va_start(args, format);
	if (vasprintf(&request->complaint, format, args) < 0)
		request->complaint = strdup("out of memory");
	va_end(args);
}

void request_tell(struct request *request, const char *event, json_t *body)
{
	if (!request->events)
		request->events = json_array();
	json_array_append_new(request->events, json_pack("[so*]", event, body));
}

void request_destroy(struct request *request)
{
	if (!request)
		return;
	json_decref(request->message);
	json_decref(request->arguments);
	json_decref(request->body);
	json_decref(request->events);
	free(request->complaint);
	free(request);
}

// NULL: it is not there, or null, which some clients send for it.
static json_t *find(struct request *request, const json_t *object, const char *name, bool required)
{
	json_t *found = json_object_get(object, name);

	if (json_is_null(found))
		found = NULL;
	if (!found && required)
		request_complain(request, "%s wants '%s'", request->command, name);
	return found;
}

static void complain_of_type(struct request *request, const char *name, const char *wanted)
{
	request_complain(request, "%s: '%s' is to be %s", request->command, name, wanted);
}

const char *argument_text(struct request *request, const json_t *object, const char *name,
			  bool required)
{
	const json_t *found = find(request, object, name, required);

	if (found && !json_is_string(found))
		complain_of_type(request, name, "a string");
	return json_string_value(found);
}

int64_t argument_integer(struct request *request, const json_t *object, const char *name,
			 bool required, int64_t otherwise)
{
	const json_t *found = find(request, object, name, required);

	if (!found)
		return otherwise;
	if (json_is_integer(found))
		return json_integer_value(found);
	complain_of_type(request, name, "an integer");
	return otherwise;
}

bool argument_flag(struct request *request, const json_t *object, const char *name, bool otherwise)
{
	const json_t *found = find(request, object, name, false);

	if (!found)
		return otherwise;
	if (!json_is_boolean(found))
		complain_of_type(request, name, "true or false");
	return json_is_true(found);
}

json_t *argument_list(struct request *request, const json_t *object, const char *name)
{
	json_t *found = find(request, object, name, false);

	if (found && !json_is_array(found))
		complain_of_type(request, name, "a list");
	return json_is_array(found) ? found : NULL;
}

json_t *argument_object(struct request *request, const json_t *object, const char *name)
{
	json_t *found = find(request, object, name, false);

	if (found && !json_is_object(found))
		complain_of_type(request, name, "an object");
	return json_is_object(found) ? found : NULL;
}

int64_t argument_duration(struct request *request, const json_t *object, const char *name,
			  int64_t otherwise)
{
	const json_t *found = find(request, object, name, false);
	char text[32];
	int64_t ns;

	if (!found)
		return otherwise;
	if (json_is_number(found))
		snprintf(text, sizeof(text), "%.9f", json_number_value(found));
	else
		snprintf(text, sizeof(text), "%s", json_string_value(found) ?: "");
	if (options_duration(text, &ns))
		return ns;
	complain_of_type(request, name, "a length of time: seconds, or such as \"500ms\"");
	return otherwise;
}

uint64_t argument_address(struct request *request, const json_t *object, const char *name)
{
	const char *text = argument_text(request, object, name, true);
	char *end;

	if (!text)
		return 0;
	errno = 0;
	uint64_t addr = strtoull(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno)
		request_complain(request, "%s: '%s' is no address: '%.40s'", request->command, name,
				 text);
	return addr;
}
