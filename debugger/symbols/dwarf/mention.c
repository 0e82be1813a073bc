// SPDX-License-Identifier: MIT
// Names and the units that mention them; each unit is looked through once for a name.
#include "debugger/symbols/dwarf/mention.h"

#include <stdlib.h>
#include <string.h>

static void destroy(struct mention *mention)
{
	unit_filter_deinit(&mention->filter);
	free(mention->units);
	free(mention->name);
	free(mention);
}

static struct mention *create(struct units *info, const char *name)
{
	struct mention *mention = calloc(1, sizeof(*mention));

	if (!mention)
		return NULL;
	mention->name = strdup(name);
	if (!mention->name ||
	    !unit_filter_init(&mention->filter, mention->name, info->dwarf, info->alt)) {
		destroy(mention);
		return NULL;
	}
	return mention;
}

// Where one may be kept: a free place, or that of the one that has not been used for the longest.
static struct mention **place_of(struct units *info)
{
	struct mention **oldest = NULL;

	for (size_t i = 0; i < MENTIONS_MAX; i++) {
		struct mention **place = &info->mentions[i];

		if (!*place)
			return place;
		if (!(*place)->users && (!oldest || (*place)->last < (*oldest)->last))
			oldest = place;
	}
	return oldest;
}

struct mention *mention_take(struct units *info, const char *name)
{
	struct mention *mention = NULL, **place;

	for (size_t i = 0; i < MENTIONS_MAX && !mention; i++) {
		if (info->mentions[i] && !strcmp(info->mentions[i]->name, name))
			mention = info->mentions[i];
	}
	if (!mention) {
		mention = create(info, name);
		place = mention ? place_of(info) : NULL;
		if (place) {
			if (*place)
				destroy(*place);
			*place = mention;
			mention->is_kept = true;
		}
	}
	if (mention) {
		mention->users++;
		mention->last = ++info->nr_mentioned;
	}
	return mention;
}

void mention_release(struct mention *mention)
{
	if (!--mention->users && !mention->is_kept)
		destroy(mention);
}

// Out of memory only costs another look.
static void remember(struct mention *mention, size_t unit)
{
	if (mention->n == mention->room) {
		size_t room = mention->room ? mention->room * 2 : 8;
		uint32_t *units = realloc(mention->units, room * sizeof(*units));

		if (!units)
			return;
		mention->units = units;
		mention->room = room;
	}
	mention->units[mention->n++] = (uint32_t)unit;
	mention->nr_looked = unit + 1;
}

bool mention_next(struct units *info, struct mention *mention, size_t from, size_t *ret)
{
	size_t low = 0, high = mention->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mention->units[middle] < from)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < mention->n) {
		*ret = mention->units[low];
		return true;
	}
	for (size_t i = from > mention->nr_looked ? from : mention->nr_looked; i < info->nr_units;
	     i++) {
		struct unit *unit = &info->units[i];
		bool is_looked = i == mention->nr_looked;

		if (!unit->start ||
		    unit_filter_in(&mention->filter, unit->start, unit->end, unit->is_indexed)) {
			if (is_looked)
				remember(mention, i);
			*ret = i;
			return true;
		}
		mention->nr_looked += is_looked;
	}
	return false;
}

void mention_forget_all(struct units *info)
{
	for (size_t i = 0; i < MENTIONS_MAX; i++) {
		if (info->mentions[i])
			destroy(info->mentions[i]);
		info->mentions[i] = NULL;
	}
}
