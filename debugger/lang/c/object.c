// SPDX-License-Identifier: MIT
// Objects as C sees them: read when their value is needed, their addresses, their members.
#include "debugger/lang/c/dialect.h"
#include "debugger/lang/c/name.h"

#include <stdio.h>
#include <string.h>

// What caller.literal() promises.
static const uint64_t LITERAL_ALIGN = 16;

struct dc_error *object_untyped(const struct value *value)
{
	return error_make(DC_REFUSED, "'%s' has unknown type; cast it to its declared type",
			  value->name ? value->name : "it");
}

// Reads an object when its value is needed and not before: & and sizeof must not touch it.
struct dc_error *object_load(struct context *context, struct value *value)
{
	uint64_t size;

	if (value->bytes || (value->lvalue != LVALUE_MEMORY && value->lvalue != LVALUE_REGISTER) ||
	    value_unknown(value) || type_strip(value->type)->kind == TYPE_VOID)
		return NULL;
	return context->mode == EVAL_RUN ? lvalue_load(&context->access, value)
					 : lvalue_size(&context->access, value, &size);
}

struct dc_error *object_store(struct context *context, struct value *value, const struct value *new)
{
	uint64_t size;

	if (value_unknown(value))
		return NULL;
	if (value->no_debug)
		return object_untyped(value);
	if ((value->lvalue != LVALUE_MEMORY && value->lvalue != LVALUE_REGISTER) ||
	    value->is_temporary)
		return error_make(DC_TYPE,
				  "the left side of an assignment must be an object in the target");
	if (context->mode == EVAL_RUN && new->bytes)
		return lvalue_store(&context->access, value, new);

	struct dc_error *err = lvalue_size(&context->access, value, &size);

	value_deinit(value);
	return err;
}

// Once per evaluation, at each place that needs an address: a callee may keep the pointer.
static struct dc_error *put_literal(struct context *context, const struct value *value,
				    uint64_t *addr)
{
	const struct caller *caller = context->access.caller;
	uint64_t size;

	if (!type_size(value->type, &size))
		return type_error("'%s' is incomplete: its size is not known", value->type, NULL);
	if (!caller || !caller->literal)
		return error_make(DC_TYPE, "a literal has no address here");

	uint64_t align = type_align(type_strip(value->type));

	if (align <= LITERAL_ALIGN)
		return caller->literal(caller->arg, value->bytes, size, addr);
	// A vector that a callee loads whole must lie as its type says.
	_cleanup_free_ unsigned char *room = calloc(1, size + align);
	struct dc_error *err = room ? caller->literal(caller->arg, room, size + align, addr)
				    : &dc_out_of_memory;

	if (err)
		return err;
	*addr = (*addr + align - 1) & ~(align - 1);
	return caller->write(caller->arg, *addr, value->bytes, size);
}

struct dc_error *object_address(struct context *context, const struct value *value,
				struct value *ret)
{
	struct dc_error *err = NULL;
	uint64_t addr = value->addr;
	bool known = true;

	if (value_unknown(value)) {
		*ret = *value;
		ret->bytes = NULL;
		return NULL;
	}
	if (value->bit_size > 0)
		return error_make(DC_TYPE, "a bit-field has no address");
	if (value->keepsake)
		return error_make(DC_VALUE,
				  "the object has ended with the expression that made it: "
				  "its value can be looked at, and has no address");
	switch (value->lvalue) {
	case LVALUE_MEMORY: known = context->mode == EVAL_RUN || value->addr != 0; break;
	case LVALUE_FUNCTION:
		// An IFUNC's symbol is its resolver; the function is what that returns.
		if (value->symbol && value->symbol->is_ifunc) {
			addr = symbols_bound_ifunc(context->access.symbols, value->symbol);
			known = addr != 0;
			if (!known && context->mode == EVAL_RUN) {
				err = context->access.caller->resolve_ifunc(
					context->access.caller->arg, value->symbol, &addr);
				known = true;
			}
		}
		break;
	case LVALUE_LITERAL:
		known = context->mode == EVAL_RUN && value->bytes;
		if (known)
			err = put_literal(context, value, &addr);
		break;
	case LVALUE_REGISTER: return error_make(DC_TYPE, "a variable in a register has no address");
	case LVALUE_NONE:
		return error_make(DC_TYPE, "a value that is not an object has no address");
	}
	if (err)
		return err;
	*ret = (struct value){ .type = types_pointer(context->basics.types, value->type),
			       .name = value->name };
	if (!ret->type)
		return &dc_out_of_memory;
	return known && context->mode != EVAL_TYPE ? value_set(ret, &addr, sizeof(addr)) : NULL;
}

struct dc_error *object_dereference(struct context *context, const struct value *pointer,
				    struct value *ret)
{
	const struct type *plain = type_strip(pointer->type);

	*ret = (struct value){ .type = &type_unknown };
	if (value_unknown(pointer))
		return NULL;
	if (plain->kind != TYPE_POINTER && plain->kind != TYPE_REFERENCE)
		return type_error("cannot dereference '%s': it is not a pointer", pointer->type,
				  NULL);
	ret->type = plain->target;

	enum type_kind kind = type_strip(plain->target)->kind;

	if (kind == TYPE_VOID)
		return error_make(DC_TYPE, "cannot dereference a pointer to void");
	if (type_strip(plain->target)->is_incomplete)
		ret->type = symbols_complete(context->access.symbols, type_strip(plain->target));
	ret->lvalue = kind == TYPE_FUNCTION ? LVALUE_FUNCTION : LVALUE_MEMORY;
	if (pointer->bytes)
		memcpy(&ret->addr, pointer->bytes, sizeof(ret->addr));
	return NULL;
}

// What to cut parts from: an object in memory as it is, all else with its bytes.
static struct dc_error *load_whole(struct context *context, const struct value *whole,
				   struct value *ret)
{
	struct dc_error *err = value_copy(whole, ret);

	if (!err && whole->lvalue != LVALUE_MEMORY)
		err = object_load(context, ret);
	return err;
}

struct dc_error *object_part(struct context *context, const struct value *whole,
			     const struct type *type, uint64_t offset, struct value *ret)
{
	_cleanup_value_ struct value loaded = { 0 };
	struct dc_error *err = load_whole(context, whole, &loaded);

	return err ? err : part_at(&loaded, type, offset, ret);
}

static struct dc_error *find_member(struct context *context, const struct type *type,
				    const char *name, unsigned depth, uint64_t *offset,
				    struct type_member *ret, bool *found)
{
	const struct type_member *members;
	struct dc_error *err;
	size_t n;

	type = symbols_complete(context->access.symbols, type_strip(type));
	if (type->is_incomplete)
		return type_error("'%s' is incomplete: its members are not known", type, NULL);
	err = type_members(type, &members, &n);
	for (size_t i = 0; !err && i < n; i++) {
		if (!members[i].is_base && members[i].name && strcmp(members[i].name, name) == 0) {
			*ret = members[i];
			*found = true;
			return NULL;
		}
	}
	for (size_t i = 0; !err && i < n && depth < NODE_DEPTH_MAX; i++) {
		uint64_t inside = *offset + members[i].offset;

		if (members[i].is_base || members[i].name || !type_is_record(members[i].type))
			continue;
		err = find_member(context, members[i].type, name, depth + 1, &inside, ret, found);
		if (*found) {
			*offset = inside;
			return err;
		}
	}
	return err;
}

struct dc_error *object_find_member(struct context *context, const struct type *type,
				    const char *name, uint64_t *offset, struct type_member *ret,
				    bool *found)
{
	*found = false;
	return find_member(context, type, name, 0, offset, ret, found);
}

// What an object's own -> gives, where the language has such.
static struct dc_error *follow_arrow(struct context *context, const struct node *arrow,
				     struct value *value)
{
	struct value target;
	bool done = false;
	struct dc_error *err;

	if (value_unknown(value) || !type_is_record(value->type) || !context->dialect->target_of)
		return NULL;
	err = context->dialect->target_of(context, value, &target, &done);
	if (!err && !done)
		err = context->dialect->operate(context, arrow, "->", value, 1, &target, &done);
	if (err || !done)
		return err;
	value_deinit(value);
	*value = target;
	return convert_referred(context, value);
}

// Of an object in memory the member is an object too; of a value it is a copy.
struct dc_error *object_reach(struct context *context, struct value *value,
			      const struct node *arrow)
{
	struct dc_error *err;
	struct value target;

	if (value->no_debug)
		return object_untyped(value);
	err = convert_referred(context, value);
	if (!err && arrow)
		err = follow_arrow(context, arrow, value);
	// As gdb does, . and -> each take a struct or a pointer to one.
	for (int i = 0; !err && i < 2; i++) {
		enum type_kind kind = type_strip(value->type)->kind;

		if (kind != TYPE_POINTER && (kind != TYPE_ARRAY || !arrow))
			break;
		err = convert_rvalue(context, value);
		if (!err)
			err = object_dereference(context, value, &target);
		if (err)
			return err;
		value_deinit(value);
		*value = target;
	}
	return err;
}

// Which there are, as far as they fit on a line.
static struct dc_error *note_members(struct context *context, const struct type *type,
				     struct dc_error *err)
{
	const struct type_member *members;
	const struct type *plain = symbols_complete(context->access.symbols, type_strip(type));
	char line[160] = "";
	size_t n, used = 0;
	_cleanup_error_ struct dc_error *unread = type_members(plain, &members, &n);

	for (size_t i = 0; !unread && i < n && used < sizeof(line); i++) {
		if (!members[i].name || members[i].is_base)
			continue;
		if (used + strlen(members[i].name) + 8 > sizeof(line)) {
			snprintf(line + used, sizeof(line) - used, ", ...");
			break;
		}
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", used ? ", " : "",
					 members[i].name);
	}
	return *line ? error_note(err, "its members: %s", line) : err;
}

struct dc_error *object_member(struct context *context, const struct value *whole, const char *name,
			       struct value *ret)
{
	struct type_member member = { 0 };
	uint64_t offset = 0;
	bool found = false;
	struct dc_error *err;

	if (!type_is_record(whole->type))
		return type_error("'%s' is not a struct or union", whole->type, NULL);
	err = object_find_member(context, whole->type, name, &offset, &member, &found);
	if (!err && !found && context->dialect->inherited_member) {
		err = context->dialect->inherited_member(context, whole, name, ret, &found);
		if (err || found)
			return err;
	}
	if (err)
		return err;
	if (!found) {
		_cleanup_free_ char *spelled = type_spell(whole->type, NULL);

		err = error_make(DC_NAME, "there is no member named '%s' in '%s'", name,
				 spelled ? spelled : "?");
		return note_members(context, whole->type, err);
	}

	_cleanup_value_ struct value loaded = { 0 };

	err = load_whole(context, whole, &loaded);
	return err ? err : part_member(&context->access, &loaded, offset, &member, ret);
}

// A variable that was optimized out still has a type, which is all that sizeof asks.
struct dc_error *object_variable(struct context *context, const struct variable *variable,
				 struct value *ret)
{
	uint64_t size;

	ret->type = variable->type ? variable->type : context->basics.list[BASIC_VOID];
	ret->no_debug = !variable->type;
	switch (variable->place) {
	case VARIABLE_MEMORY:
		ret->lvalue = LVALUE_MEMORY;
		ret->addr = variable->addr;
		return NULL;
	case VARIABLE_REGISTER:
		ret->lvalue = LVALUE_REGISTER;
		ret->reg = variable->reg;
		return NULL;
	case VARIABLE_CONSTANT:
		if (!type_size(ret->type, &size) || size > variable->nr_bytes)
			return error_make(DC_VALUE, "the value of '%s' is not whole",
					  variable->name);
		return value_set(ret, variable->bytes, size);
	case VARIABLE_TLS:
		ret->lvalue = LVALUE_MEMORY;
		if (context->mode != EVAL_RUN)
			return NULL;
		return symbols_tls_address(
			context->access.symbols, variable,
			context->access.caller->fs_base(context->access.caller->arg), &ret->addr);
	case VARIABLE_THREAD:
		ret->lvalue = LVALUE_MEMORY;
		if (context->mode != EVAL_RUN)
			return NULL;
		ret->addr = context->access.caller->fs_base(context->access.caller->arg);
		if (!ret->addr)
			return error_make(DC_VALUE, "the thread has no '%s'", variable->name);
		ret->addr += variable->addr;
		return NULL;
	case VARIABLE_GONE: break;
	}
	if (context->mode == EVAL_TYPE)
		return NULL;
	return error_about(error_make(DC_VALUE, "'%s' has no value here: %s", variable->name,
				      variable->why_gone ? variable->why_gone : "optimized out"),
			   DC_VALUE_OPTIMISED_OUT);
}

struct dc_error *object_name(struct context *context, const struct node *node, struct value *ret)
{
	const struct resolution *what = node->what;
	struct variable variable;
	struct dc_error *err;

	*ret = (struct value){ .type = what->type, .name = node->name };
	switch (what->kind) {
	case NAME_VARIABLE:
		variable = what->variable;
		// A local is where the frame of this moment has it.
		if (what->is_local && context->mode == EVAL_RUN) {
			err = access_frame(&context->access);
			if (!err)
				err = symbols_lookup_variable(context->access.symbols,
							      &context->access.frame, node->name,
							      &variable);
			if (err)
				return err;
		}
		// Before the run the frame may have been seen in part only: its word is not the
		// last.
		if (what->is_local && context->mode != EVAL_RUN && variable.place == VARIABLE_GONE)
			variable.place = VARIABLE_MEMORY;
		return object_variable(context, &variable, ret);
	case NAME_FUNCTION:
		if (what->nr_overloads)
			return context->dialect->needs_call(what, node->name);
		ret->lvalue = LVALUE_FUNCTION;
		ret->addr = what->function.addr;
		ret->symbol = &what->function;
		if (ret->type)
			return NULL;
		ret->no_debug = true;
		ret->type = types_function(context->basics.types, context->basics.list[BASIC_INT],
					   NULL, 0, false, false);
		return ret->type ? NULL : &dc_out_of_memory;
	case NAME_ENUMERATOR:
	case NAME_CONSTANT: return value_set(ret, &what->value, type_strip(what->type)->size);
	case NAME_UNKNOWN: break;
	}

	// Code VALUE: it is there, but not one thing that could be used, and the message says why.
	struct function function;

	err = symbols_lookup_function(context->access.symbols, NULL, node->name, &function);
	if (err && err->code == DC_VALUE)
		return err;
	dc_error_destroy(err);
	err = symbols_lookup_variable(context->access.symbols, NULL, node->name, &variable);
	if (err && err->code == DC_VALUE)
		return err;
	dc_error_destroy(err);
	return name_unknown(context->access.symbols, node->name);
}
