// SPDX-License-Identifier: MIT
// Containers, as the languages that have some read them.
#include "debugger/lang/container.h"

#include "debugger/lang/language.h"

#include <stdlib.h>

struct dc_error *container_read(const struct language *language,
				const struct environment *environment, const struct value *value,
				struct container *ret)
{
	return language->contain ? language->contain(environment, value, ret) : NULL;
}

void container_deinit(struct container *container)
{
	for (size_t i = 0; i < container->n; i++) {
		free(container->list[i].name);
		value_deinit(&container->list[i].key);
		value_deinit(&container->list[i].value);
	}
	free(container->list);
	free(container->title);
	free(container->bytes);
	container->list = NULL;
	container->n = 0;
	container->title = NULL;
	container->bytes = NULL;
}
