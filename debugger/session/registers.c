// SPDX-License-Identifier: MIT
// Registers by gdb's names: $rax, $al, $eflags, $rip, $xmm0, $st0, $mxcsr … of the borrowed thread.
#include "debugger/arch/x86_64/registers.h"
#include "debugger/session/session.h"

#include <string.h>

static struct dc_error *find(const char *name, struct register_place *ret)
{
	if (register_find(name, ret) && !ret->is_absent)
		return NULL;
	return error_make(DC_NAME, "no register $%s on this machine", name);
}

static const struct type *type_of(const struct register_place *place, struct types *types)
{
	const struct type *basic = types_basic(types, place->spelling);

	if (place->is_code || place->is_data) {
		const struct type *nothing = types_basic(types, "void");

		if (!nothing)
			return NULL;
		if (place->is_code)
			nothing = types_function(types, nothing, NULL, 0, false, false);
		return nothing ? types_pointer(types, nothing) : NULL;
	}
	return basic && place->lanes ? types_vector(types, basic, place->lanes) : basic;
}

// Locals without --frame may be an outer frame's; registers then are still the thread's own.
static bool is_outer(const struct dc_session *session)
{
	return session->holding.scope.frame && session->holding.frame.known &&
	       session->holding.frame.index > 0;
}

// An outer frame has only the registers that unwinding found.
static struct dc_error *read_outer(const struct dc_session *session, const char *name,
				   const struct register_place *place, unsigned char *bytes)
{
	const struct symbols_frame *frame = &session->holding.frame.frame;

	if (place->in_xstate || place->dwarf < 0 || !(frame->valid & (1U << place->dwarf)))
		return error_make(DC_VALUE, "$%s is not saved in frame %u", name,
				  session->holding.frame.index);
	memcpy(bytes, &frame->regs[place->dwarf], place->size);
	return NULL;
}

static struct dc_error *read_inner(const struct dc_session *session, const char *name,
				   const struct register_place *place, unsigned char *bytes)
{
	size_t size;
	const unsigned char *xstate = injection_xstate(session->holding.injection, &size);

	if (register_get(place, injection_regs(session->holding.injection), xstate, size, bytes))
		return NULL;
	return error_make(DC_VALUE, "$%s is not in the thread's state", name);
}

struct dc_error *register_read(const struct dc_session *session, const char *name,
			       struct types *types, struct value *ret)
{
	struct register_place place;
	struct dc_error *err = find(name, &place);

	if (err)
		return err;
	const struct type *type = type_of(&place, types);
	// Room for the widest, so that a long double's padding is there too.
	unsigned char *bytes = type ? calloc(1, REGISTER_SIZE_MAX) : NULL;
	if (!bytes)
		return &dc_out_of_memory;
	err = is_outer(session) ? read_outer(session, name, &place, bytes)
				: read_inner(session, name, &place, bytes);
	if (err) {
		free(bytes);
		return err;
	}
	if (place.size == 1 && bytes[0] & 0x80)
		bytes[1] = 0xff;
	*ret = (struct value){ .type = type, .lvalue = LVALUE_NONE, .bytes = bytes };
	return NULL;
}

const struct type *register_type_of(const char *name, struct types *types)
{
	struct register_place place;
	struct dc_error *err = find(name, &place);

	if (!err)
		return type_of(&place, types);
	dc_error_destroy(err);
	return NULL;
}

struct dc_error *register_write(const struct dc_session *session, const char *name,
				const struct value *value)
{
	struct register_place place;
	struct dc_error *err = find(name, &place);
	size_t size;

	if (err)
		return err;
	if (is_outer(session))
		return error_make(DC_REFUSED,
				  "registers can be set in the innermost frame only (--frame 0)");
	size_t whole = register_size(&place);
	if (value->type->size < whole)
		return error_make(DC_TYPE, "$%s has %zu bytes, the value %ju", name, whole,
				  (uintmax_t)value->type->size);

	unsigned char *xstate = injection_xstate(session->holding.injection, &size);
	if (register_put(&place, injection_regs(session->holding.injection), xstate, size,
			 value->bytes))
		return NULL;
	return error_make(DC_VALUE, "$%s is not in the thread's state", name);
}
