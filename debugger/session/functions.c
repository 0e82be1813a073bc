// SPDX-License-Identifier: MIT
// What can be called: the functions of a target by name.
#include "debugger/session/session.h"

#include <regex.h>
#include <string.h>

struct listing {
	regex_t *regex; // NULL: every name
	struct function *functions;
	size_t n, room;
	bool failed;
};

static bool collect(const struct function *function, void *arg)
{
	struct listing *listing = arg;

	if (function->no_call || !language_can_call(function))
		return true;
	if (listing->regex && regexec(listing->regex, function->name, 0, NULL, 0))
		return true;
	if (listing->n == listing->room) {
		size_t room = listing->room ? listing->room * 2 : 1024;
		struct function *more = reallocarray(listing->functions, room, sizeof(*more));

		if (!more) {
			listing->failed = true;
			return false;
		}
		listing->functions = more;
		listing->room = room;
	}
	listing->functions[listing->n++] = *function;
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct function *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	// The one with a type first, so that it is the one that stays.
	return (x->type == NULL) - (y->type == NULL);
}

// What an expression would call it as: the table of the C library's prototypes knows some that have
// no debug information.
static const struct type *known_type(struct dc_session *session, const struct function *function)
{
	const struct environment environment = { .symbols = session->symbols };
	struct expression *expression;

	// The table has only C's.
	if (strpbrk(function->name, "(:<"))
		return NULL;

	struct dc_error *err = expression_parse(&environment, NULL, function->name,
						strlen(function->name), &expression);

	if (err) {
		// A name that is no expression of C has no prototype either.
		dc_error_destroy(err);
		return NULL;
	}
	const struct function *named = expression_effects(expression)->function;
	const struct type *type = named && named->addr == function->addr ? named->type : NULL;
	expression_destroy(expression);
	return type;
}

// "int add(int a, int b)": the parameters with their names, as the declarator of the result.
static char *prototype_of(const struct type *type, const char *name)
{
	_cleanup_free_ char *declarator = NULL;
	const struct type_param *params;
	size_t n, size;

	// The full name of a C++ function has its parameters, and that of a template the result
	// too.
	if (strchr(name, '(')) {
		const char *blank = strpbrk(name, " <(");

		return blank && *blank == ' ' ? strdup(name) : type_spell(type->target, name);
	}

	struct dc_error *err = type_params(type, &params, &n);

	if (err) {
		dc_error_destroy(err);
		return type_spell(type, name);
	}
	FILE *out = open_memstream(&declarator, &size);
	if (!out)
		return NULL;
	fprintf(out, "%s(", name);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *param = type_spell(params[i].type, params[i].name);

		fprintf(out, "%s%s", i ? ", " : "", param ? param : "?");
	}
	if (type->is_variadic)
		fputs(n ? ", ..." : "...", out);
	else if (!n && type->is_prototyped)
		fputs("void", out);
	fputc(')', out);
	if (fclose(out))
		return NULL;
	return type_spell(type->target, declarator);
}

static bool show(struct dc_session *session, const struct function *function,
		 bool (*visit)(const struct dc_function *, void *), void *arg, bool *failed)
{
	_cleanup_free_ char *prototype = NULL;

	const struct type *type = function->type ? function->type : known_type(session, function);
	_cleanup_error_ struct dc_error *refusal = classify_body(function);

	if (refusal)
		return true;
	if (type) {
		prototype = prototype_of(type, function->name);
		if (!prototype) {
			*failed = true;
			return false;
		}
	}
	const struct dc_function shown = {
		.name = function->name,
		.module = function->module->name,
		.prototype = prototype,
		.addr = function->addr,
	};
	return visit(&shown, arg);
}

static struct dc_error *list(struct dc_session *session, struct listing *listing,
			     bool (*visit)(const struct dc_function *, void *), void *arg)
{
	struct dc_error *err = symbols_each_function(session->symbols, collect, listing);
	bool go_on = true;

	if (err)
		return err;
	if (listing->n)
		qsort(listing->functions, listing->n, sizeof(*listing->functions), compare);
	for (size_t i = 0; i < listing->n && go_on && !listing->failed; i++) {
		const struct function *function = &listing->functions[i];

		// .symtab, .dynsym and the DWARF may each have it.
		if (i && function->addr == function[-1].addr &&
		    !strcmp(function->name, function[-1].name))
			continue;
		go_on = show(session, function, visit, arg, &listing->failed);
	}
	return listing->failed ? &dc_out_of_memory : NULL;
}

struct dc_error *dc_functions(struct dc_session *session, const char *regex,
			      bool (*visit)(const struct dc_function *, void *), void *arg)
{
	_turn_(session);
	struct listing listing = { 0 };
	regex_t compiled;

	if (regex) {
		int failure = regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB);

		if (failure) {
			char why[128];

			regerror(failure, &compiled, why, sizeof(why));
			return error_make(DC_USAGE, "'%s' is not a regular expression: %s", regex,
					  why);
		}
		listing.regex = &compiled;
	}
	struct dc_error *err = list(session, &listing, visit, arg);
	if (regex)
		regfree(&compiled);
	free(listing.functions);
	return err;
}
