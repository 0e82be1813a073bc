// SPDX-License-Identifier: MIT
// Objects of the standard library as gdb prints them.
#include "debugger/lang/cxx/rules.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void print_text_of(struct printer *printer, const struct container *container)
{
	uint64_t width = type_strip(container->character)->size, n = container->total;
	bool more = n > PRINT_ELEMENTS;

	if (more)
		n = PRINT_ELEMENTS;

	// One NUL more, for the last one goes without saying.
	_cleanup_free_ unsigned char *bytes = calloc(n + 1, width);
	const struct caller *caller = printer->caller;
	_cleanup_error_ struct dc_error *err = !bytes ? &dc_out_of_memory
					       : n    ? caller->read(caller->arg, container->text,
								     bytes, n * width)
						      : NULL;

	if (err)
		fprintf(printer->out, "<error: Cannot access memory at address 0x%" PRIx64 ">",
			container->text);
	else
		print_text(printer, container->character, bytes, more ? n : n + 1, more);
}

static void print_element(struct printer *printer, const struct value *value)
{
	const struct caller *caller = printer->caller;
	const struct type *type = symbols_complete(printer->symbols, type_strip(value->type));
	uint64_t addr = value->lvalue == LVALUE_MEMORY ? value->addr : 0, size;
	_cleanup_free_ unsigned char *bytes = NULL;

	if (value->bytes) {
		print_value(printer, value->type, value->bytes, addr);
		return;
	}
	if (!type_size(type, &size) || size > 1 << 20) {
		fputs("<incomplete type>", printer->out);
		return;
	}
	bytes = malloc(size + 1);

	_cleanup_error_ struct dc_error *err = bytes ? caller->read(caller->arg, addr, bytes, size)
						     : &dc_out_of_memory;

	if (err)
		fprintf(printer->out, "<error: Cannot access memory at address 0x%" PRIx64 ">",
			addr);
	else
		print_value(printer, value->type, bytes, addr);
}

static void print_elements(struct printer *printer, const struct container *container)
{
	// A key and its value are two.
	size_t most = container->kind == CONTAINER_MAP ? PRINT_ELEMENTS / 2 : PRINT_ELEMENTS;
	size_t n = container->n < most ? container->n : most;

	fprintf(printer->out, "%s{", container->title ? " = " : "");
	for (size_t i = 0; i < n; i++) {
		const struct element *element = &container->list[i];

		fputs(i ? ", " : "", printer->out);
		if (element->key.type) {
			fputc('[', printer->out);
			print_element(printer, &element->key);
			fputs("] = ", printer->out);
		} else if (element->name) {
			fprintf(printer->out, "%s = ", element->name);
		}
		print_element(printer, &element->value);
	}
	fputs(n < container->total ? "...}" : "}", printer->out);
}

// An iterator is shown as what it stands at, an atomic in braces.
static void print_wrapped(struct printer *printer, const struct container *container)
{
	print_element(printer, &container->list[0].value);
	if (container->title)
		fputs(" }", printer->out);
}

bool library_print(struct printer *printer, const struct type *type, const unsigned char *bytes,
		   uint64_t addr)
{
	const struct environment environment = { .symbols = printer->symbols,
						 .caller = printer->caller };
	const struct value object = { .type = type,
				      .lvalue = addr ? LVALUE_MEMORY : LVALUE_NONE,
				      .addr = addr,
				      .bytes = (unsigned char *)bytes };
	_cleanup_(container_deinit) struct container container = { .room = PRINT_ELEMENTS };
	_cleanup_error_ struct dc_error *err = library_container(&environment, &object, &container);

	if (err || container.kind == CONTAINER_NONE)
		return false;
	if (container.kind == CONTAINER_DAMAGED) {
		fputs("<not initialised?> ", printer->out);
		return false;
	}
	if (container.title)
		fputs(container.title, printer->out);
	if (container.kind == CONTAINER_TEXT)
		print_text_of(printer, &container);
	else if (container.kind == CONTAINER_WORDS && container.n)
		print_wrapped(printer, &container);
	else if (container.kind != CONTAINER_WORDS && container.total)
		print_elements(printer, &container);
	return true;
}
