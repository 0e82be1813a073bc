// SPDX-License-Identifier: MIT
// Names of the whole program: variables and types by regular expression, what a beginning may go
// on to.
#include "debugger/session/session.h"

#include <regex.h>
#include <string.h>

struct entry {
	const char *name; // lives as long as the symbols, or is in text
	char *text; // that was made for it; NULL: none
	struct listed_variable listed;
};

struct inventory {
	regex_t *regex; // NULL: every name
	struct entry *entries;
	size_t n;
	bool failed;
};

static void inventory_deinit(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n; i++)
		free(inventory->entries[i].text);
	free(inventory->entries);
}

static struct entry *add(struct inventory *inventory)
{
	if (!(inventory->n & (inventory->n - 1))) {
		size_t room = inventory->n ? 2 * inventory->n : 64;
		struct entry *entries = reallocarray(inventory->entries, room, sizeof(*entries));

		if (!entries) {
			inventory->failed = true;
			return NULL;
		}
		inventory->entries = entries;
	}
	inventory->entries[inventory->n] = (struct entry){ 0 };
	return &inventory->entries[inventory->n++];
}

static bool matches(const struct inventory *inventory, const char *name)
{
	return name && (!inventory->regex || !regexec(inventory->regex, name, 0, NULL, 0));
}

static struct dc_error *compile(const char *regex, regex_t *ret)
{
	char message[128];
	int code = regcomp(ret, regex, REG_EXTENDED | REG_NOSUB);

	if (!code)
		return NULL;
	regerror(code, ret, message, sizeof(message));
	return error_make(DC_USAGE, "\"%.100s\" is no regular expression: %s", regex, message);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

// What was collected, by name; err is how collecting went.
static struct dc_error *sorted(struct inventory *inventory, struct dc_error *err)
{
	if (!err && inventory->failed)
		err = &dc_out_of_memory;
	if (!err && inventory->n)
		qsort(inventory->entries, inventory->n, sizeof(*inventory->entries), compare);
	return err;
}

static bool collect_variable(const struct listed_variable *listed, void *arg)
{
	struct inventory *inventory = arg;

	if (!matches(inventory, listed->variable.name))
		return true;

	struct entry *entry = add(inventory);

	if (!entry)
		return false;
	entry->name = listed->variable.name;
	entry->listed = *listed;
	return true;
}

static bool tell_variable(const struct entry *entry,
			  bool (*visit)(const struct dc_variable *, void *), void *arg)
{
	const struct variable *variable = &entry->listed.variable;
	_cleanup_free_ char *declaration = variable->type
						   ? type_spell(variable->type, variable->name)
						   : NULL;

	return visit(&(struct dc_variable){ .name = variable->name,
					    .module = variable->module->name,
					    .declaration = declaration,
					    .file = entry->listed.file,
					    .line = entry->listed.line,
					    .addr = variable->addr },
		     arg);
}

struct dc_error *dc_variables(struct dc_session *session, const char *regex,
			      bool (*visit)(const struct dc_variable *, void *), void *arg)
{
	_turn_(session);
	_cleanup_(inventory_deinit) struct inventory inventory = { 0 };
	regex_t compiled;
	struct dc_error *err = regex ? compile(regex, &compiled) : NULL;

	if (err)
		return err;
	inventory.regex = regex ? &compiled : NULL;
	err = session_refresh(session);
	if (!err)
		err = symbols_each_variable(session->symbols, collect_variable, &inventory);
	err = sorted(&inventory, err);
	for (size_t i = 0; !err && i < inventory.n; i++) {
		if (!tell_variable(&inventory.entries[i], visit, arg))
			break;
	}
	if (regex)
		regfree(&compiled);
	return session_conclude(session, err);
}

static bool collect_type(const char *tag, const char *name, void *arg)
{
	struct inventory *inventory = arg;

	if (!matches(inventory, name))
		return true;

	struct entry *entry = add(inventory);

	if (!entry)
		return false;
	entry->name = name;
	if (tag && asprintf(&entry->text, "%s %s", tag, name) < 0) {
		entry->text = NULL;
		inventory->failed = true;
		return false;
	}
	if (tag)
		entry->name = entry->text;
	return true;
}

struct dc_error *dc_types(struct dc_session *session, const char *regex,
			  bool (*visit)(const char *name, void *), void *arg)
{
	_turn_(session);
	_cleanup_(inventory_deinit) struct inventory inventory = { 0 };
	regex_t compiled;
	struct dc_error *err = regex ? compile(regex, &compiled) : NULL;

	if (err)
		return err;
	inventory.regex = regex ? &compiled : NULL;
	err = session_refresh(session);
	if (!err)
		err = symbols_each_type(session->symbols, collect_type, &inventory);
	err = sorted(&inventory, err);
	for (size_t i = 0; !err && i < inventory.n; i++) {
		// Each file has its own description of what headers declare.
		if (i && !compare(&inventory.entries[i - 1], &inventory.entries[i]))
			continue;
		if (!visit(inventory.entries[i].name, arg))
			break;
	}
	if (regex)
		regfree(&compiled);
	return session_conclude(session, err);
}

struct dc_error *dc_complete(struct dc_session *session, const char *prefix,
			     bool (*visit)(const char *name, void *), void *arg)
{
	_turn_(session);
	struct dc_error *err = session_refresh(session);

	if (!err)
		err = symbols_each_beginning(session->symbols, prefix, visit, arg);
	return session_conclude(session, err);
}
