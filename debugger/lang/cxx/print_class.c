// SPDX-License-Identifier: MIT
// How what C has not is printed: references, base classes, enumerators with their scopes.
#include "debugger/lang/cxx/rules.h"

#include <inttypes.h>
#include <string.h>

void class_print_reference(struct printer *printer, const struct type *type,
			   const unsigned char *bytes)
{
	const struct type *target = symbols_complete(printer->symbols, type_strip(type->target));
	_cleanup_free_ unsigned char *object = NULL;
	uint64_t addr, size;

	memcpy(&addr, bytes, sizeof(addr));
	fprintf(printer->out, "@0x%" PRIx64, addr);
	if (printer->depth > 1) // inside a struct the address is all
		return;
	fputs(": ", printer->out);
	if (target->kind == TYPE_FUNCTION || !type_size(target, &size) || size > 1 << 20) {
		print_address(printer, addr);
		return;
	}
	object = malloc(size + 1);

	_cleanup_error_ struct dc_error *err = object ? printer->caller->read(printer->caller->arg,
									      addr, object, size)
						      : &dc_out_of_memory;

	if (err)
		fprintf(printer->out, "<error: Cannot access memory at address 0x%" PRIx64 ">",
			addr);
	else
		print_value(printer, type->target, object, addr);
}

static bool is_shown(struct printed_whole *whole, const struct type *type)
{
	enum { ROOM = sizeof(whole->shown) / sizeof(*whole->shown) };

	for (size_t i = 0; i < whole->nr_shown; i++) {
		if (type_equal(whole->shown[i], type))
			return true;
	}
	if (whole->nr_shown < ROOM)
		whole->shown[whole->nr_shown++] = type;
	return false;
}

// Where the base class's bytes are: among those of the whole, or else in the target. owned: what
// is to be freed.
static struct dc_error *find_base(struct printer *printer, const struct type_member *base,
				  const unsigned char **bytes, uint64_t *addr,
				  unsigned char **owned)
{
	const struct printed_whole *whole = &printer->whole;
	const struct caller *caller = printer->caller;
	uint64_t offset, size = type_strip(base->type)->size;
	struct dc_error *err = part_base_offset(caller, base, *addr, *bytes, &offset);

	if (err)
		return err;
	*addr += *addr ? offset : 0;

	uint64_t position = (uint64_t)(*bytes - whole->bytes) + offset;

	if (position <= whole->size && size <= whole->size - position) {
		*bytes = whole->bytes + position;
		return NULL;
	}
	if (!*addr || !base->is_virtual)
		return error_make(DC_VALUE, "outside of its object");
	*owned = malloc(size + 1);
	*bytes = *owned;
	return *owned ? caller->read(caller->arg, *addr, *owned, size) : &dc_out_of_memory;
}

bool class_print_base(struct printer *printer, const struct type_member *base,
		      const unsigned char *bytes, uint64_t addr, const char *separator)
{
	const struct type *type = type_strip(base->type);
	_cleanup_free_ unsigned char *owned = NULL;

	if (base->is_virtual && is_shown(&printer->whole, type))
		return false;
	fprintf(printer->out, "%s<%s> = ", separator, type->name ? type->name : "base");

	_cleanup_error_ struct dc_error *err = find_base(printer, base, &bytes, &addr, &owned);

	if (err) {
		fprintf(printer->out, "<error: %s>", err->message);
		return true;
	}
	printer->is_base = true;
	print_value(printer, base->type, bytes, addr);
	printer->is_base = false;
	return true;
}

// One may be of the class whose static member it is.
static bool is_seen(struct printer *printer, const struct type *type, uint64_t addr)
{
	enum { ROOM = sizeof(printer->statics) / sizeof(*printer->statics) };

	if (!type_is_record(type) && type_strip(type)->kind != TYPE_ARRAY)
		return false;
	for (size_t i = 0; i < printer->nr_statics; i++) {
		if (printer->statics[i] == addr)
			return true;
	}
	if (printer->nr_statics == ROOM)
		return true;
	printer->statics[printer->nr_statics++] = addr;
	return false;
}

static void print_static(struct printer *printer, const struct variable *variable)
{
	const struct type *type = symbols_complete(printer->symbols, type_strip(variable->type));
	_cleanup_free_ unsigned char *bytes = NULL;
	uint64_t size;

	fprintf(printer->out, "static %s = ", variable->name);
	if (!type_size(type, &size) || size > 1 << 20 || variable->place == VARIABLE_GONE ||
	    (variable->place == VARIABLE_CONSTANT && size > variable->nr_bytes)) {
		fputs("<optimized out>", printer->out);
		return;
	}
	if (variable->place == VARIABLE_CONSTANT) {
		print_value(printer, variable->type, variable->bytes, 0);
		return;
	}
	if (is_seen(printer, type, variable->addr)) {
		fputs("<same as static member of an already seen type>", printer->out);
		return;
	}
	bytes = malloc(size + 1);

	_cleanup_error_ struct dc_error *err = bytes ? printer->caller->read(printer->caller->arg,
									     variable->addr, bytes,
									     size)
						     : &dc_out_of_memory;
	bool is_base = printer->is_base;
	struct printed_whole whole = printer->whole;

	if (err) {
		fprintf(printer->out, "<error: Cannot access memory at address 0x%" PRIx64 ">",
			variable->addr);
		return;
	}
	printer->is_base = false;
	print_value(printer, variable->type, bytes, variable->addr);
	printer->is_base = is_base;
	printer->whole = whole;
}

bool class_print_statics(struct printer *printer, const struct type *type, size_t i,
			 const char *separator)
{
	const struct static_member *list;
	bool any = false;
	size_t n;
	_cleanup_error_ struct dc_error *err = symbols_static_members(printer->symbols, type, &list,
								      &n);

	for (size_t k = 0; !err && k < n; k++) {
		if (list[k].before != i)
			continue;
		fputs(any ? ", " : separator, printer->out);
		print_static(printer, &list[k].variable);
		any = true;
	}
	return any;
}

// An enumerator is in its enum's scope, or, of an enum class, in the enum itself.
void class_print_enum_scope(struct printer *printer, const struct type *type)
{
	const char *name = type->name;
	int at = name ? (int)strlen(name) : 0;

	if (!type->is_scoped)
		while (at > 1 && !(name[at - 1] == ':' && name[at - 2] == ':'))
			at--;
	if (at > 1)
		fprintf(printer->out, "%.*s%s", at, name, type->is_scoped ? "::" : "");
}
