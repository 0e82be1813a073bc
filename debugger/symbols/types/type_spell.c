// SPDX-License-Identifier: MIT
// A type in C's own spelling, declarators inside out: "int (*)(float, struct P *)".
// Written as gdb writes it, so that eyes and scripts carry over.
#include "debugger/symbols/types/type_table.h"
#include "debugger/base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// A corrupt file can make a function type its own parameter: spelling must still end.
enum { MAX_SPELL_DEPTH = 64, MAX_SPELL_BYTES = 16384 };

static void put_type(FILE *out, const struct type *type, const char *name, int depth);

static void put_qualifiers(FILE *out, const struct type *type)
{
	if (type->is_const)
		fputs("const ", out);
	if (type->is_volatile)
		fputs("volatile ", out);
}

static bool derives(const struct type *type)
{
	switch (type->kind) {
	case TYPE_POINTER:
	case TYPE_REFERENCE:
	case TYPE_MEMBER:
	case TYPE_ARRAY:
	case TYPE_FUNCTION: return true;
	case TYPE_VECTOR: return !type->name;
	default: return false;
	}
}

static void put_base(FILE *out, const struct type *type)
{
	put_qualifiers(out, type);
	// In C the tag is part of the name; in C++ it is not said, as tag "class" tells.
	if (type->tag)
		fprintf(out, "%s ", type->tag);
	if (type->name)
		fputs(type->name, out);
	else if (type->kind == TYPE_VOID)
		fputs("void", out);
	else
		fputs("{...}", out);
}

static void put_params(FILE *out, const struct type *type, int depth)
{
	const struct type_param *params;
	size_t n;
	struct dc_error *err = type_params(type, &params, &n);

	fputc('(', out);
	if (err) {
		dc_error_destroy(err);
		fputc('?', out);
	}
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputs(", ", out);
		put_type(out, params[i].type, NULL, depth + 1);
	}
	if (type->is_variadic)
		fputs(n ? ", ..." : "...", out);
	else if (!n && type->is_prototyped && !err)
		fputs("void", out);
	fputc(')', out);
}

// What stands left of the name: pointers, and the bracket that keeps them from binding to the
// right.
static void put_left(FILE *out, const struct type *type, int depth, bool *glued)
{
	if (depth > MAX_SPELL_DEPTH || ftell(out) > MAX_SPELL_BYTES) {
		fputs("... ", out);
		return;
	}
	if (!derives(type)) {
		put_base(out, type);
		*glued = false;
		return;
	}
	put_left(out, type->target, depth + 1, glued);
	if (type->kind != TYPE_POINTER && type->kind != TYPE_REFERENCE && type->kind != TYPE_MEMBER)
		return;

	bool wrap = derives(type->target) &&
		    (type->target->kind == TYPE_ARRAY || type->target->kind == TYPE_FUNCTION);

	if (!*glued)
		fputc(' ', out);
	if (wrap)
		fputc('(', out);
	if (type->kind == TYPE_MEMBER)
		fprintf(out, "%s::*", type->class->name ?: "{...}");
	else
		fputs(type->kind == TYPE_POINTER ? "*" : type->is_rvalue ? "&&" : "&", out);
	*glued = true;
	if (type->is_const || type->is_volatile) {
		fprintf(out, " %s%s%s", type->is_const ? "const" : "",
			type->is_const && type->is_volatile ? " " : "",
			type->is_volatile ? "volatile" : "");
		*glued = false;
	}
}

static void put_right(FILE *out, const struct type *type, int depth)
{
	if (depth > MAX_SPELL_DEPTH || ftell(out) > MAX_SPELL_BYTES || !derives(type))
		return;
	switch (type->kind) {
	case TYPE_POINTER:
	case TYPE_REFERENCE:
	case TYPE_MEMBER:
		if (type->target->kind == TYPE_ARRAY || type->target->kind == TYPE_FUNCTION)
			fputc(')', out);
		break;
	case TYPE_ARRAY:
		if (type->count == UINT64_MAX)
			fputs("[]", out);
		else
			fprintf(out, "[%" PRIu64 "]", type->count);
		break;
	case TYPE_VECTOR:
		fprintf(out, " __attribute__ ((vector_size(%" PRIu64 ")))", type->count);
		break;
	default: put_params(out, type, depth); break;
	}
	put_right(out, type->target, depth + 1);
}

static void put_type(FILE *out, const struct type *type, const char *name, int depth)
{
	bool glued = false;

	put_left(out, type, depth, &glued);
	if (name)
		fprintf(out, "%s%s", glued ? "" : " ", name);
	else if (!glued && (type->kind == TYPE_ARRAY || type->kind == TYPE_FUNCTION))
		fputc(' ', out);
	put_right(out, type, depth);
}

char *type_spell(const struct type *type, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (type_is_go(type))
		type_go_spell(out, type, name);
	else
		put_type(out, type, name, 0);

	bool failed = ferror(out);

	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}
