// SPDX-License-Identifier: MIT
// A ring: the number tells the place, and a newer one in the same place drops the older.
#include "debugger/front/dap/references.h"

#include <limits.h>
#include <stdlib.h>

enum { KEPT = 1 << 16 };

struct references {
	int last;
	struct reference *ring[KEPT];
};

static void reference_destroy(struct reference *reference)
{
	if (!reference)
		return;
	if (reference->kind == REFERENCE_VALUE)
		dc_value_destroy(reference->value.value);
	if (reference->kind == REFERENCE_LAZY)
		free(reference->lazy.expression);
	free(reference);
}

struct references *references_create(void)
{
	return calloc(1, sizeof(struct references));
}

void references_clear(struct references *references)
{
	for (int i = 0; i < KEPT; i++) {
		reference_destroy(references->ring[i]);
		references->ring[i] = NULL;
	}
}

void references_destroy(struct references *references)
{
	if (references)
		references_clear(references);
	free(references);
}

int references_add(struct references *references, const struct reference *reference)
{
	struct reference *copy = malloc(sizeof(*copy));
	struct reference gone = *reference;

	if (!copy) {
		if (gone.kind == REFERENCE_VALUE)
			dc_value_destroy(gone.value.value);
		if (gone.kind == REFERENCE_LAZY)
			free(gone.lazy.expression);
		return 0;
	}
	references->last = references->last == INT_MAX ? 1 : references->last + 1;
	*copy = *reference;
	copy->number = references->last;

	struct reference **place = &references->ring[copy->number % KEPT];

	reference_destroy(*place);
	*place = copy;
	return copy->number;
}

const struct reference *references_find(const struct references *references, int64_t number,
					enum reference_kind kind)
{
	const struct reference *found;

	if (number <= 0 || number > INT_MAX)
		return NULL;
	found = references->ring[number % KEPT];
	return found && found->number == number && found->kind == kind ? found : NULL;
}
