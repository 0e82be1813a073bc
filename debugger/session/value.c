// SPDX-License-Identifier: MIT
// Values as a client holds them: what was read, what kind of object it was, what it is made of.
#include "debugger/session/session.h"

#include "debugger/arch/arch.h"
#include "debugger/lang/container.h"
#include "debugger/target/memory.h"
#include "debugger/values/part.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

// The public part comes first, so that a pointer to one is a pointer to both.
struct kept {
	struct dc_value public;
	struct dc_session *session;
	const struct language *language;
	struct value value;
	struct function symbol; // that value.symbol points to
	char format; // of "/x flags"
	char *text; // as it was printed when other memory was read with it; NULL: none was
	uint64_t epoch; // when it was read
	bool is_container; // its children are what it holds
	char register_name[8];
	char *name, *spelling, *reason, *expression; // the public ones, ours
	char *prefix; // what stands before ".member" or "[3]" in a child's expression; NULL: nothing
};

static struct kept *kept_of(const struct dc_value *value)
{
	return (struct kept *)value;
}

void dc_value_destroy(struct dc_value *value)
{
	struct kept *kept = kept_of(value);

	if (!kept)
		return;
	value_deinit(&kept->value);
	free(kept->text);
	free(kept->name);
	free(kept->spelling);
	free(kept->reason);
	free(kept->expression);
	free(kept->prefix);
	free(kept);
}

static char *printed(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *printed(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

// ---- What kind of value ----

static enum dc_type_kind kind_of(const struct type *type)
{
	switch (type->kind) {
	case TYPE_VOID: return DC_TYPE_VOID;
	case TYPE_BOOL: return DC_TYPE_BOOL;
	case TYPE_INT: return DC_TYPE_INTEGER;
	case TYPE_FLOAT: return DC_TYPE_FLOAT;
	case TYPE_COMPLEX: return DC_TYPE_COMPLEX;
	case TYPE_ENUM: return DC_TYPE_ENUM;
	case TYPE_POINTER: return DC_TYPE_POINTER;
	case TYPE_REFERENCE: return DC_TYPE_REFERENCE;
	case TYPE_ARRAY: return DC_TYPE_ARRAY;
	case TYPE_VECTOR: return DC_TYPE_VECTOR;
	case TYPE_STRUCT: return DC_TYPE_STRUCT;
	case TYPE_UNION: return DC_TYPE_UNION;
	case TYPE_FUNCTION: return DC_TYPE_FUNCTION;
	case TYPE_MEMBER:
	case TYPE_TYPEDEF:
	case TYPE_OPAQUE: break;
	}
	return DC_TYPE_OTHER;
}

static bool is_record(const struct type *type)
{
	return type->kind == TYPE_STRUCT || type->kind == TYPE_UNION;
}

// An unnamed bit-field is padding.
static bool is_shown(const struct type_member *member)
{
	return member->name || member->is_base || is_record(type_strip(member->type));
}

static struct dc_error *count_members(const struct type *type, uint64_t *ret)
{
	const struct type_member *members;
	size_t n;
	struct dc_error *err = type_members(type, &members, &n);

	*ret = 0;
	for (size_t i = 0; !err && i < n; i++)
		*ret += is_shown(&members[i]);
	return err;
}

static const struct type *whole_type(struct dc_session *session, const struct type *type)
{
	return symbols_complete(session->symbols, type_strip(type));
}

// A pointer to a record has that one's members, any other what it points to; a reference is what
// it refers to.
static struct dc_error *count_children(struct dc_session *session, const struct type *type,
				       uint64_t *ret)
{
	const struct type *target;

	type = whole_type(session, type);
	*ret = 0;
	switch (type->kind) {
	case TYPE_STRUCT:
	case TYPE_UNION: return count_members(type, ret);
	case TYPE_ARRAY:
	case TYPE_VECTOR: *ret = type->count == UINT64_MAX ? 0 : type->count; return NULL;
	case TYPE_POINTER:
	case TYPE_REFERENCE:
		target = whole_type(session, type->target);
		if (type->kind == TYPE_REFERENCE && target->kind != TYPE_REFERENCE)
			return count_children(session, target, ret);
		if (is_record(target))
			return count_members(target, ret);
		*ret = target->kind != TYPE_VOID && target->kind != TYPE_FUNCTION &&
		       !target->is_incomplete;
		return NULL;
	default: return NULL;
	}
}

// Reads so many of what the value, or what it refers to, holds.
static struct dc_error *read_container(const struct kept *kept, uint64_t start, size_t count,
				       struct container *ret)
{
	struct dc_session *session = kept->session;
	struct evaluation evaluation = { .session = session, .keepsake = kept->value.keepsake };
	struct caller caller = caller_of(&evaluation);
	const struct environment environment = { session->symbols, &caller, session->variables };
	const struct type *type = whole_type(session, kept->value.type);
	struct value object = kept->value;

	*ret = (struct container){ .start = start, .room = count };
	if (type->kind == TYPE_REFERENCE && object.bytes) {
		object = (struct value){ .type = type->target,
					 .lvalue = LVALUE_MEMORY,
					 .keepsake = object.keepsake };
		memcpy(&object.addr, kept->value.bytes, sizeof(object.addr));
	}
	if (kept->format == 'r' || !is_record(whole_type(session, object.type)))
		return NULL;
	return container_read(kept->language, &environment, &object, ret);
}

static struct dc_error *count_kept(struct kept *kept)
{
	_cleanup_(container_deinit) struct container container = { 0 };
	struct dc_error *err = read_container(kept, 0, 0, &container);

	kept->is_container = !err && container.kind > CONTAINER_DAMAGED;
	if (err || !kept->is_container)
		return err ? err
			   : count_children(kept->session, kept->value.type,
					    &kept->public.nr_children);
	kept->public.nr_children = container.kind == CONTAINER_TEXT ? 0 : container.total;
	return NULL;
}

static void describe_lvalue(struct kept *kept)
{
	const struct value *value = &kept->value;
	struct dc_value *public = &kept->public;

	public->lvalue = DC_LVALUE_NONE;
	if (value->lvalue == LVALUE_MEMORY && !value->is_temporary) {
		public->lvalue = value->bit_size ? DC_LVALUE_BIT_FIELD : DC_LVALUE_MEMORY;
		public->addr = value->addr;
		public->bit_offset = value->bit_offset;
		public->bit_size = value->bit_size;
	} else if (value->lvalue == LVALUE_REGISTER) {
		public->lvalue = DC_LVALUE_REGISTER;
		if (lvalue_register_name(value->reg, kept->register_name))
		public->register_name = kept->register_name;
	}
}

// The public part from the value; whoever calls has set state, name and expression.
static struct dc_error *publish(struct kept *kept)
{
	struct value *value = &kept->value;
	struct dc_value *public = &kept->public;
	const struct type *plain = whole_type(kept->session, value->type);

	kept->spelling = type_spell(value->type, NULL);
	if (!kept->spelling)
		return &dc_out_of_memory;
	public->type = (struct dc_type){ .name = kept->spelling,
					 .size = plain->is_incomplete ? 0 : plain->size,
					 .kind = kind_of(plain),
					 .is_signed = plain->is_signed };
	describe_lvalue(kept);
	public->name = kept->name;
	public->expression = kept->expression;
	public->reason = kept->reason;
	public->bytes = value->bytes;
	if (plain->kind == TYPE_VOID && public->state == DC_VALUE_OK && !value->no_debug)
	public->state = DC_VALUE_NONE;
	if (public->state != DC_VALUE_OK)
		return NULL;
	return count_kept(kept);
}

static struct kept *make(struct dc_session *session, const struct language *language, char format)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (kept) {
		kept->session = session;
		kept->language = language;
		kept->format = format;
		kept->epoch = session->epoch;
	}
	return kept;
}

// ---- What names it ----

static bool is_word(const char *text)
{
	if (isdigit((unsigned char)*text))
		return false;
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr("_$:", *text))
			return false;
	}
	return true;
}

// The expression without its format. One that calls or writes is not evaluated again for a part of
// its value: the number of the result names that.
static struct dc_error *name_result(struct kept *kept, const struct dc_expression *expression,
				    unsigned number)
{
	const struct effects *effects = expression_effects(expression->parsed);
	const char *text = expression->text;

	if (effects->calls || effects->writes) {
		if (!number)
			return NULL;
		kept->expression = printed("$%u", number);
	} else {
		text += strspn(text, " \t\n");
		if (expression_format(expression->parsed)) {
			text += 1 + strspn(text + 1, " \t\n");
			text += 1 + strspn(text + 1, " \t\n");
		}
		kept->expression = strdup(text);
	}
	if (kept->expression)
		kept->prefix = is_word(kept->expression) ? strdup(kept->expression)
							 : printed("(%s)", kept->expression);
	return kept->prefix ? NULL : &dc_out_of_memory;
}

// ---- A result ----

// $rax is read as a value of its own, but is an object all the same.
static void describe_named_register(struct kept *kept, const struct dc_expression *expression)
{
	const char *text = kept->expression;

	if (!expression_effects(expression->parsed)->reads_registers || !text || *text != '$' ||
	    !is_word(text))
		return;
	kept->public.lvalue = DC_LVALUE_REGISTER;
	kept->public.register_name = text + 1;
}

static struct dc_error *render(const struct kept *kept, char format, char **ret)
{
	struct dc_session *session = kept->session;
	struct evaluation evaluation = { .session = session, .keepsake = kept->value.keepsake };
	struct caller caller = caller_of(&evaluation);
	struct environment environment = { session->symbols, &caller, session->variables };

	*ret = NULL;
	switch (kept->public.state) {
	case DC_VALUE_NONE: return NULL;
	case DC_VALUE_OPTIMISED_OUT: *ret = strdup("<optimized out>"); break;
	case DC_VALUE_UNREADABLE: *ret = printed("<error: %s>", kept->reason); break;
	case DC_VALUE_OK:
		if (format || !kept->text)
			return value_print(kept->language, &environment, &kept->value,
					   format ?: kept->format, ret);
		*ret = strdup(kept->text);
	}
	return *ret ? NULL : &dc_out_of_memory;
}

// It is, or refers to, an object that may have been made for the expression.
static bool may_be_gone(const struct value *value)
{
	return type_strip(value->type)->kind != TYPE_VOID && !type_is_scalar(value->type);
}

struct dc_error *value_snapshot(struct evaluation *evaluation, struct dc_value **ret)
{
	const struct dc_expression *expression = evaluation->expression;
	struct kept *kept = make(evaluation->session, expression_language(expression->parsed),
				 expression_format(expression->parsed));

	if (!kept)
		return &dc_out_of_memory;
	kept->value = value_take(&evaluation->value);
	if (kept->value.symbol) {
		// The expression that owns it may be parsed anew, or go.
		kept->symbol = *kept->value.symbol;
		kept->value.symbol = &kept->symbol;
	}
	kept->value.name = kept->value.symbol ? kept->symbol.name : NULL;
	kept->public.number = evaluation->number;

	struct dc_error *err = name_result(kept, expression, evaluation->number);

	if (!err)
		err = publish(kept);
	if (!err)
		describe_named_register(kept, expression);
	// What lies elsewhere in the target is read now, with the value.
	if (!err && !evaluation->later)
		err = render(kept, 0, &kept->text);
	// From here on that is all there will be of what ends with the expression.
	if (evaluation->had_objects && may_be_gone(&kept->value)) {
		kept->value.keepsake = evaluation->session->recording;
		variables_give(evaluation->session->variables, evaluation->number,
			       kept->value.keepsake);
	}
	if (err) {
		dc_value_destroy(&kept->public);
		return err;
	}
	*ret = &kept->public;
	return NULL;
}

struct dc_error *dc_value_text(const struct dc_value *value, char format, char **ret)
{
	const struct kept *kept = kept_of(value);

	_turn_(kept->session);
	return session_conclude(kept->session, render(kept, format, ret));
}

// ---- Children ----

// A part of a whole: where it is, and how it is named.
struct part {
	struct type_member member; // an element is one too, without a name
	char *name;
	char *expression; // NULL: nothing names it
	bool inherits_prefix; // its members are named as the whole's are
};

static struct dc_error *read_part(struct kept *child, const struct value *whole,
				  const struct part *part)
{
	struct dc_session *session = child->session;
	struct evaluation evaluation = { .session = session, .keepsake = whole->keepsake };
	struct caller caller = caller_of(&evaluation);
	struct access access = { .symbols = session->symbols, .caller = &caller };
	struct value *value = &child->value;
	struct dc_error *err = part_member(&access, whole, 0, &part->member, value);
	const struct type *plain = whole_type(session, value->type);

	// A flexible array has no elements of its own; it is its address.
	if (err || value->bytes || (plain->kind == TYPE_ARRAY && plain->count == UINT64_MAX))
		return err;
	return lvalue_load(&access, value);
}

static void part_deinit(struct part *part)
{
	free(part->name);
	free(part->expression);
}

// What the whole is, once pointers and references are followed: a record, an array, or one object.
struct whole {
	struct value value; // its type is whole
	const char *prefix; // NULL: nothing names its parts
	const char *access; // "." or "->"
	bool is_target; // the one child is what a pointer points to
	bool is_read_now; // in other memory than the parent was read from
};

static struct dc_error *member_part(const struct whole *whole, const struct type_member *member,
				    struct part *ret)
{
	const struct type *plain = type_strip(member->type);

	*ret = (struct part){ .member = *member };
	if (member->is_base) {
		const char *name = plain->name ?: "base";

		ret->name = strdup(name);
		if (whole->prefix && whole->value.lvalue == LVALUE_MEMORY && plain->name)
			ret->expression = printed("*(%s *) %s%s", name,
						  *whole->access == '.' ? "&" : "", whole->prefix);
	} else if (member->name) {
		ret->name = strdup(member->name);
		if (whole->prefix)
			ret->expression = printed("%s%s%s", whole->prefix, whole->access,
						  member->name);
	} else {
		ret->name = printed("<anonymous %s>",
				    plain->kind == TYPE_UNION ? "union" : "struct");
		ret->inherits_prefix = true;
	}
	return ret->name ? NULL : &dc_out_of_memory;
}

static struct dc_error *find_part(const struct whole *whole, uint64_t index, struct part *ret)
{
	const struct type *type = whole->value.type;
	const struct type_member *members;
	size_t n;

	if (whole->is_target) {
		*ret = (struct part){ .member = { .type = type }, .name = strdup("*") };
		if (whole->prefix)
			ret->expression = printed("*%s", whole->prefix);
		return ret->name ? NULL : &dc_out_of_memory;
	}
	if (!is_record(type)) {
		uint64_t size = type_strip(type->target)->size;

		*ret = (struct part){ .member = { .type = type->target, .offset = index * size },
				      .name = printed("[%ju]", (uintmax_t)index) };
		if (whole->prefix)
			ret->expression = printed("%s[%ju]", whole->prefix, (uintmax_t)index);
		return ret->name ? NULL : &dc_out_of_memory;
	}

	struct dc_error *err = type_members(type, &members, &n);

	for (size_t i = 0; !err && i < n; i++) {
		if (is_shown(&members[i]) && index-- == 0)
			return member_part(whole, &members[i], ret);
	}
	return err ? err : error_make(DC_VALUE, "there is no such member");
}

// A child's own children are named from its expression.
static struct dc_error *set_prefix(struct kept *child, const struct whole *whole,
				   const struct part *part)
{
	const char *from = part->inherits_prefix ? whole->prefix : part->expression;
	bool is_arrow = part->inherits_prefix && *whole->access == '-';

	if (!from)
		return NULL;
	child->prefix = is_arrow       ? printed("(*%s)", from)
			: *from == '*' ? printed("(%s)", from)
				       : strdup(from);
	return child->prefix ? NULL : &dc_out_of_memory;
}

// err: of making it. What cannot be read is a child all the same; after another error it is destroyed.
static struct dc_error *finish_child(struct kept *child, struct dc_error *err,
				     struct dc_value **ret)
{
	if (err && (err->code == DC_VALUE || err->code == DC_TYPE)) {
		child->public.state = err->value ?: DC_VALUE_UNREADABLE;
		child->reason = strdup(err->message);
		dc_error_destroy(err);
		err = child->reason ? NULL : &dc_out_of_memory;
	}
	if (!err)
		err = publish(child);
	if (err)
		dc_value_destroy(&child->public);
	else
		*ret = &child->public;
	return err;
}

static struct dc_error *make_child(const struct kept *parent, const struct whole *whole,
				   struct part *part, struct dc_value **ret)
{
	struct kept *child = make(parent->session, parent->language, parent->format);

	if (!child)
		return &dc_out_of_memory;

	struct dc_error *err = set_prefix(child, whole, part);

	child->name = take_ptr(part->name);
	child->expression = take_ptr(part->expression);
	child->public.has_run = parent->public.has_run ||
				(whole->is_read_now && parent->epoch != parent->session->epoch);
	if (!whole->is_read_now)
		child->epoch = parent->epoch;
	if (!err)
		err = read_part(child, &whole->value, part);
	return finish_child(child, err, ret);
}

// The name of what a map has under the key, as gdb writes it.
static struct dc_error *name_element(const struct kept *parent, uint64_t number,
				     struct element *element, char **ret)
{
	struct dc_session *session = parent->session;
	struct evaluation evaluation = { .session = session, .keepsake = parent->value.keepsake };
	struct caller caller = caller_of(&evaluation);
	const struct environment environment = { session->symbols, &caller, session->variables };
	struct access access = { .symbols = session->symbols, .caller = &caller };
	char *key = NULL;
	struct dc_error *err = NULL;

	if (element->key.type && !element->key.bytes)
		err = lvalue_load(&access, &element->key);
	if (!err && element->key.type)
		err = value_print(parent->language, &environment, &element->key, 0, &key);
	if (err) {
		dc_error_destroy(err);
		key = strdup("?");
	}
	*ret = element->key.type ? printed("[%s]", key ? key : "?")
	       : element->name	 ? strdup(element->name)
				 : printed("[%ju]", (uintmax_t)number);
	free(key);
	return *ret ? NULL : &dc_out_of_memory;
}

static struct dc_error *make_element(const struct kept *parent, uint64_t number,
				     struct element *element, struct dc_value **ret)
{
	struct dc_session *session = parent->session;
	struct evaluation evaluation = { .session = session, .keepsake = parent->value.keepsake };
	struct caller caller = caller_of(&evaluation);
	struct access access = { .symbols = session->symbols, .caller = &caller };
	struct kept *child = make(session, parent->language, parent->format);

	if (!child)
		return &dc_out_of_memory;
	child->public.has_run = parent->public.has_run || parent->epoch != session->epoch;
	child->value = value_take(&element->value);

	struct dc_error *err = name_element(parent, number, element, &child->name);

	if (!err && !child->value.bytes)
		err = lvalue_load(&access, &child->value);
	return finish_child(child, err, ret);
}

static struct dc_error *make_elements(const struct kept *parent, uint64_t start, size_t count,
				      struct dc_value **ret, size_t *nr_ret)
{
	_cleanup_(container_deinit) struct container container = { 0 };
	struct dc_error *err = read_container(parent, start, count, &container);

	for (size_t i = 0; !err && i < container.n; i++) {
		err = make_element(parent, start + i, &container.list[i], &ret[i]);
		*nr_ret += !err;
	}
	return err;
}

// Follows what the value points or refers to, as far as children are there.
static struct dc_error *find_whole(const struct kept *parent, struct whole *ret)
{
	struct dc_session *session = parent->session;
	const struct type *type = whole_type(session, parent->value.type);

	uint64_t addr;

	*ret = (struct whole){ .prefix = parent->prefix, .access = "." };
	ret->value = parent->value;
	ret->value.type = type;
	if (type->kind != TYPE_POINTER && type->kind != TYPE_REFERENCE)
		return NULL;
	if (!parent->value.bytes)
		return error_make(DC_VALUE, "the pointer was not read");
	memcpy(&addr, parent->value.bytes, sizeof(addr));
	ret->is_read_now = true;
	if (type->kind == TYPE_REFERENCE) {
		type = whole_type(session, type->target);
		if (type->kind == TYPE_POINTER) {
			struct dc_error *err = memory_read(session->process, addr, &addr,
							   sizeof(addr));

			if (err)
				return err;
		}
	}
	if (type->kind == TYPE_POINTER) {
		type = whole_type(session, type->target);
		ret->access = "->";
		ret->is_target = !is_record(type);
	}
	ret->value = (struct value){ .type = type, .lvalue = LVALUE_MEMORY, .addr = addr };
	// What a reference refers to is looked at where it was; a pointer may lead anywhere.
	if (whole_type(session, parent->value.type)->kind == TYPE_REFERENCE)
		ret->value.keepsake = parent->value.keepsake;
	return NULL;
}

struct dc_error *dc_value_children(const struct dc_value *value, uint64_t start, size_t count,
				   struct dc_value **ret, size_t *nr_ret)
{
	const struct kept *parent = kept_of(value);
	struct dc_error *err = NULL;
	struct whole whole;

	*nr_ret = 0;
	if (start >= value->nr_children)
		return NULL;
	if (count > value->nr_children - start)
		count = (size_t)(value->nr_children - start);

	_turn_(parent->session);

	if (parent->is_container)
		err = make_elements(parent, start, count, ret, nr_ret);
	else
		err = find_whole(parent, &whole);
	for (size_t i = 0; !err && !parent->is_container && i < count; i++) {
		_cleanup_(part_deinit) struct part part = { 0 };

		err = find_part(&whole, start + i, &part);
		if (!err)
			err = make_child(parent, &whole, &part, &ret[i]);
		*nr_ret += !err;
	}
	for (size_t i = 0; err && i < *nr_ret; i++)
		dc_value_destroy(ret[i]);
	if (err)
		*nr_ret = 0;
	return session_conclude(parent->session, err);
}
