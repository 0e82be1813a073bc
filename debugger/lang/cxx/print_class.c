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

// Base classes stand before the members, without a name of their own.
void class_print_base(struct printer *printer, const struct type_member *base)
{
	fprintf(printer->out, "<%s> = ", base->type->name ? base->type->name : "base");
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
