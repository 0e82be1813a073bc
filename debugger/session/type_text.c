// SPDX-License-Identifier: MIT
// Types written out: their names, their members with places and holes. Nothing is run.
#include "debugger/session/session.h"

#include <inttypes.h>
#include <string.h>

struct writing {
	FILE *out;
	struct symbols *symbols;
	bool layout;
};

static struct dc_error *write_record(struct writing *writing, const struct type *type, int level,
				     uint64_t base);

static void indent(FILE *out, int level)
{
	for (int i = 0; i < level; i++)
		fputs("    ", out);
}

static void write_place(struct writing *writing, const struct type_member *member, uint64_t base)
{
	uint64_t size = 0;

	if (!writing->layout)
		return;
	type_size(member->type, &size);
	if (member->bit_size)
		fprintf(writing->out, "/* %6" PRIu64 ":%2u |    %2u bits */ ",
			base + member->offset, member->bit_offset, member->bit_size);
	else
		fprintf(writing->out, "/* %6" PRIu64 "    | %7" PRIu64 " */ ",
			base + member->offset, size);
}

// The width of what write_place() writes.
static void write_blank(struct writing *writing)
{
	if (writing->layout)
		fprintf(writing->out, "%28s", "");
}

static const struct type *complete(struct writing *writing, const struct type *type)
{
	return type->is_incomplete ? symbols_complete(writing->symbols, type) : type;
}

static bool is_unnamed_record(const struct type *type)
{
	return type_is_record(type) && !type->name && type->kind != TYPE_TYPEDEF;
}

static struct dc_error *write_member(struct writing *writing, const struct type_member *member,
				     int level, uint64_t base)
{
	if (is_unnamed_record(member->type)) {
		write_place(writing, member, base);
		indent(writing->out, level);

		struct dc_error *err = write_record(writing, member->type, level,
						    base + member->offset);

		fprintf(writing->out, "%s%s;\n", member->name ? " " : "", member->name ?: "");
		return err;
	}

	_cleanup_free_ char *declared = type_spell(member->type,
						   member->is_base ? NULL : member->name);

	if (!declared)
		return &dc_out_of_memory;
	write_place(writing, member, base);
	indent(writing->out, level);
	if (member->is_base)
		fprintf(writing->out, "<base %s%s>", member->is_virtual ? "virtual " : "",
			declared);
	else
		fputs(declared, writing->out);
	if (member->bit_size)
		fprintf(writing->out, " : %u", member->bit_size);
	fputs(";\n", writing->out);
	return NULL;
}

static void write_hole(struct writing *writing, uint64_t size, int level)
{
	fprintf(writing->out, "/* XXX %4" PRIu64 "-byte %s */\n", size,
		level ? "hole     " : "padding  ");
}

// Where a member ends, in bytes.
static uint64_t end_of(const struct type_member *member)
{
	uint64_t size = 0;

	if (member->bit_size)
		return member->offset + (member->bit_offset + member->bit_size + 7) / 8;
	type_size(member->type, &size);
	return member->offset + size;
}

static struct dc_error *write_record(struct writing *writing, const struct type *type, int level,
				     uint64_t base)
{
	enum { LEVEL_MAX = 32 };
	const struct type_member *members;
	uint64_t end = 0;
	size_t n;
	struct dc_error *err = type_members(type, &members, &n);

	if (err)
		return err;
	if (type->is_incomplete || level > LEVEL_MAX) {
		fprintf(writing->out, "%s%s%s {…}", type->tag ?: "", type->name ? " " : "",
			type->name ?: "");
		return NULL;
	}
	fprintf(writing->out, "%s%s%s {\n", type->tag ?: "struct", type->name ? " " : "",
		type->name ?: "");
	for (size_t i = 0; !err && i < n; i++) {
		bool laid_out = writing->layout && type->kind == TYPE_STRUCT &&
				!members[i].is_virtual;

		if (laid_out && members[i].offset > end)
			write_hole(writing, members[i].offset - end, 1);
		err = write_member(writing, &members[i], level + 1, base);
		if (laid_out && end_of(&members[i]) > end)
			end = end_of(&members[i]);
	}
	if (writing->layout && type->kind == TYPE_STRUCT && n && type->size > end)
		write_hole(writing, type->size - end, 0);
	if (writing->layout) {
		write_blank(writing);
		indent(writing->out, level);
		fprintf(writing->out, "/* total size: %5" PRIu64 " bytes */\n", type->size);
	}
	write_blank(writing);
	indent(writing->out, level);
	fputc('}', writing->out);
	return err;
}

static struct dc_error *write_enum(struct writing *writing, const struct type *type)
{
	const struct type_enumerator *list;
	int64_t next = 0;
	size_t n;
	struct dc_error *err = type_enumerators(type, &list, &n);

	if (err)
		return err;
	fprintf(writing->out, "enum %s%s%s{", type->is_scoped ? "class " : "", type->name ?: "",
		type->name ? " " : "");
	for (size_t i = 0; i < n; i++) {
		fprintf(writing->out, "%s%s", i ? ", " : "", list[i].name);
		if (list[i].value != next)
			fprintf(writing->out, " = %" PRId64, list[i].value);
		next = list[i].value + 1;
	}
	fputc('}', writing->out);
	return NULL;
}

// What pointers, arrays and functions are made of, in the end.
static const struct type *base_of(const struct type *type)
{
	while (type->target && (type->kind == TYPE_POINTER || type->kind == TYPE_ARRAY ||
				type->kind == TYPE_REFERENCE || type->kind == TYPE_FUNCTION))
		type = type->target;
	return type;
}

static struct dc_error *write_definition(struct writing *writing, const struct type *type)
{
	const struct type *stripped = type_strip(type);
	const struct type *base = base_of(stripped), *whole = complete(writing, type_strip(base));
	_cleanup_free_ char *all = type_spell(stripped, NULL), *part = type_spell(base, NULL);
	struct dc_error *err = NULL;

	if (!all || !part)
		return &dc_out_of_memory;

	// "struct cache *": the definition takes the place of the name.
	bool begins = !strncmp(all, part, strlen(part));

	if (begins && (whole->kind == TYPE_STRUCT || whole->kind == TYPE_UNION))
		err = write_record(writing, whole, 0, 0);
	else if (begins && whole->kind == TYPE_ENUM)
		err = write_enum(writing, whole);
	else
		begins = false;
	fputs(begins ? all + strlen(part) : all, writing->out);
	return err;
}

// The type that the parsed text is a pointer to.
static struct dc_error *pointed_to(struct dc_session *session, struct dc_expression *expression,
				   const struct type **ret)
{
	struct evaluation evaluation = { .session = session, .expression = expression };
	struct caller caller = caller_of(&evaluation);
	struct environment environment = { session->symbols, &caller, session->variables };
	_cleanup_value_ struct value value = { 0 };
	struct dc_error *err = expression_evaluate(&environment, expression->parsed, &value);

	if (!err)
		*ret = type_strip(value.type)->target;
	return err;
}

// format has one %s.
static struct dc_error *type_by(struct dc_session *session, const char *format, const char *text,
				const struct dc_scope *scope, struct dc_expression **holder,
				const struct type **ret)
{
	size_t n = strlen(format) + strlen(text);
	_cleanup_free_ char *whole = malloc(n);

	if (!whole)
		return &dc_out_of_memory;

	ssize_t before = strstr(format, "%s") - format;

	snprintf(whole, n, "%.*s%s%s", (int)before, format, text, format + before + 2);

	struct dc_error *err = session_parse(session, whole, NULL, 0, scope, holder);

	if (!err) {
		err = pointed_to(session, *holder, ret);
		if (err) {
			dc_expression_destroy(*holder);
			*holder = NULL;
		}
	}
	if (err && err->column >= 0) {
		err->column -= before;
		if (err->column < 0 || err->column > (ssize_t)strlen(text))
			err->column = -1;
	}
	return err;
}

// A type's name first; what is none is an expression.
static struct dc_error *type_of_text(struct dc_session *session, const char *text,
				     const struct dc_scope *scope, struct dc_expression **holder,
				     const struct type **ret)
{
	struct dc_error *err = type_by(session, "(%s *)0", text, scope, holder, ret);

	if (!err)
		return NULL;
	dc_error_destroy(err);
	return type_by(session, "(typeof(%s) *)0", text, scope, holder, ret);
}

struct dc_error *dc_type_text(struct dc_session *session, const char *text,
			      const struct dc_scope *scope, enum dc_type_text how, char **ret)
{
	_turn_(session);
	struct writing writing = { .symbols = session->symbols, .layout = how == DC_TYPE_LAYOUT };
	struct dc_expression *holder = NULL;
	const struct type *type;
	size_t size;
	struct dc_error *err = type_of_text(session, text, scope, &holder, &type);

	*ret = NULL;
	if (err)
		return session_conclude(session, err);
	if (how == DC_TYPE_NAME) {
		*ret = type_spell(type, NULL);
	} else {
		writing.out = open_memstream(ret, &size);
		if (writing.out) {
			err = write_definition(&writing, type);
			if (fclose(writing.out) || err) {
				free(*ret);
				*ret = NULL;
			}
		}
	}
	dc_expression_destroy(holder);
	return err || *ret ? session_conclude(session, err) : &dc_out_of_memory;
}

// ---- members --------------------------------------------------------------------------------------

static struct dc_error *visit_members(struct symbols *symbols, const struct type *type,
				      unsigned depth, bool (*visit)(const char *, void *),
				      void *arg, bool *go_on)
{
	enum { DEPTH_MAX = 16 };
	const struct type_member *members;
	size_t n;

	type = type_strip(type);
	if (type->is_incomplete)
		type = type_strip(symbols_complete(symbols, type));

	struct dc_error *err = type_members(type, &members, &n);

	for (size_t i = 0; !err && *go_on && i < n; i++) {
		// Those of bases and of unnamed parts are the whole's.
		if (members[i].name && !members[i].is_base)
			*go_on = visit(members[i].name, arg);
		else if (depth < DEPTH_MAX && type_is_record(members[i].type))
			err = visit_members(symbols, members[i].type, depth + 1, visit, arg, go_on);
	}
	return err;
}

struct dc_error *dc_members(struct dc_session *session, const char *text,
			    const struct dc_scope *scope, bool (*visit)(const char *name, void *),
			    void *arg)
{
	_turn_(session);
	struct dc_expression *holder = NULL;
	const struct type *type;
	bool go_on = true;
	struct dc_error *err = type_by(session, "(typeof(%s) *)0", text, scope, &holder, &type);

	if (err)
		return session_conclude(session, err);
	type = type_strip(type);
	if ((type->kind == TYPE_POINTER || type->kind == TYPE_REFERENCE) && type->target)
		type = type_strip(type->target);
	if (type_is_record(type))
		err = visit_members(session->symbols, type, 0, visit, arg, &go_on);
	else
		err = error_make(DC_NAME, "what is no struct has no members");
	dc_expression_destroy(holder);
	return session_conclude(session, err);
}
