// SPDX-License-Identifier: MIT
// Code in which a thread must not be borrowed, as sorted address ranges. Names decide; in a libc
// without local symbols the gaps around the exported allocator belong to it.
#include "debugger/inject/safepoint/unsafe.h"

#include "debugger/inject/safepoint/unsafe_names.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/maps.h"
#include "debugger/target/memory.h"

#include <stdlib.h>
#include <string.h>

// What picking symbols needs to know.
struct picker {
	struct unsafe_names names;
	bool is_static; // no libc module: the program holds one
	const char *program;
};

static bool holds_libc(const struct picker *picker, const struct module *module)
{
	return unsafe_names_libc_module(module->name) ||
	       (picker->is_static && !strcmp(module->name, picker->program));
}

static unsigned bits_in(const struct picker *picker, const struct module *module, const char *name)
{
	unsigned bits = unsafe_names_match(&picker->names, name);

	return holds_libc(picker, module) ? bits : bits & NAME_ALLOCATOR;
}

static bool is_whole(const struct module *module)
{
	return unsafe_names_whole_module(module->name) ||
	       unsafe_names_sanitizer_module(module->name);
}

// A module that is unsafe as a whole is asked only for what is not: every access to a thread-local
// variable passes __tls_get_addr, and what takes time is elsewhere; a sanitizer's wrappers of other
// functions may wait in them.
static bool pick_unsafe(const struct module *module, const char *name, void *arg)
{
	const struct picker *picker = arg;

	if (!name)
		return true;
	if (unsafe_names_sanitizer_module(module->name))
		return !(unsafe_names_match(&picker->names, name) & NAME_ALLOCATOR);
	if (unsafe_names_whole_module(module->name))
		return !strcmp(name, "__tls_get_addr");
	return bits_in(picker, module, name);
}

static bool pick_libc(const struct module *module, const char *name, void *arg)
{
	(void)name;
	return holds_libc(arg, module);
}

struct builder {
	struct symbols *symbols;
	const struct module *const *modules;
	size_t nr_modules;
	bool has_allocator;
	struct unsafe_range *ranges;
	size_t n, room;
};

static bool add(struct builder *builder, uint64_t start, uint64_t end, enum unsafe_kind kind,
		const char *what, const char *module)
{
	if (start >= end)
		return true;
	if (builder->n == builder->room) {
		size_t room = builder->room ? builder->room * 2 : 256;
		struct unsafe_range *grown = realloc(builder->ranges, room * sizeof(*grown));

		if (!grown)
			return false;
		builder->ranges = grown;
		builder->room = room;
	}
	builder->ranges[builder->n++] = (struct unsafe_range){ start, end, kind, what, module };
	return true;
}

static const struct module *module_at(const struct builder *builder, uint64_t addr)
{
	for (size_t i = 0; i < builder->nr_modules; i++)
		if (addr - builder->modules[i]->start <
		    builder->modules[i]->end - builder->modules[i]->start)
			return builder->modules[i];
	return NULL;
}

// All code of a module but its trivial functions.
static bool add_whole(struct builder *builder, const struct maps *maps, const struct module *module,
		      const struct range *trivial, size_t nr_trivial)
{
	const char *what = module->name[2] == '-' || module->name[2] == '.' ? "the dynamic linker"
									    : "the allocator";

	for (size_t i = 0; i < maps->n; i++) {
		const struct mapping *mapping = &maps->map[i];
		uint64_t start = mapping->start;

		if (!mapping->executable || mapping->start < module->start ||
		    mapping->end > module->end)
			continue;
		for (size_t j = 0; j < nr_trivial; j++) {
			if (trivial[j].start < start || trivial[j].end > mapping->end)
				continue;
			if (!add(builder, start, trivial[j].start, UNSAFE_ALWAYS, what,
				 module->name))
				return false;
			start = trivial[j].end;
		}
		if (!add(builder, start, mapping->end, UNSAFE_ALWAYS, what, module->name))
			return false;
	}
	return true;
}

static struct dc_error *add_named(struct builder *builder, struct picker *picker,
				  const struct maps *maps)
{
	_cleanup_free_ struct range *ranges = NULL;
	size_t n;
	struct dc_error *err = symbols_ranges(builder->symbols, pick_unsafe, picker, &ranges, &n);

	for (size_t i = 0; i < n && !err; i++) {
		const struct module *module = module_at(builder, ranges[i].start);

		if (!module || is_whole(module))
			continue;

		unsigned bits = bits_in(picker, module, ranges[i].what);
		enum unsafe_kind kind = bits & (NAME_ALLOCATOR | NAME_LIBC) ? UNSAFE_ALWAYS
									    : UNSAFE_STDIO;

		if (bits & NAME_ALLOCATOR)
			builder->has_allocator = true;
		if (!add(builder, ranges[i].start, ranges[i].end, kind, ranges[i].what,
			 module->name))
			err = &dc_out_of_memory;
	}
	for (size_t i = 0; i < builder->nr_modules && !err; i++)
		if (is_whole(builder->modules[i]) &&
		    !add_whole(builder, maps, builder->modules[i], ranges, n))
			err = &dc_out_of_memory;
	return err;
}

static uint64_t code_end(const struct maps *maps, uint64_t addr)
{
	const struct mapping *mapping = maps_find(maps, addr);

	return mapping ? mapping->end : addr;
}

// In a libc of which only the exported symbols are known: what lies between a function whose object
// has unsafe local ones and its neighbours from other objects.
static struct dc_error *add_gaps(struct builder *builder, struct picker *picker,
				 const struct maps *maps)
{
	_cleanup_free_ struct range *ranges = NULL;
	size_t n;
	struct dc_error *err = symbols_ranges(builder->symbols, pick_libc, picker, &ranges, &n);

	for (size_t i = 0; i < n && !err; i++) {
		const struct module *module = module_at(builder, ranges[i].start);
		unsigned bits = unsafe_names_match(&picker->names, ranges[i].what);

		if (!module || !(bits & (NAME_ALLOCATOR_EXPORT | NAME_JUMPS)))
			continue;

		uint64_t start = i ? ranges[i - 1].end : ranges[i].start;
		uint64_t end = code_end(maps, ranges[i].start);

		if (start < module->start)
			start = ranges[i].start;
		if (i + 1 < n && ranges[i + 1].start < end)
			end = ranges[i + 1].start;
		if (!add(builder, start, end, bits & NAME_STDIO ? UNSAFE_STDIO : UNSAFE_ALWAYS,
			 ranges[i].what, module->name))
			err = &dc_out_of_memory;
	}
	return err;
}

// Both forms that restorers take, `mov $15, %rax` and `mov $15, %eax`, then `syscall`, end alike.
enum { RESTORER_HEAD = 3 };

static struct dc_error *add_restorers_in(struct builder *builder, struct process *process,
					 const struct mapping *mapping, const char *module)
{
	static const unsigned char tail[] = { 0x0f, 0, 0, 0, 0x0f, 0x05 };
	enum { CHUNK = 65536, OVERLAP = RESTORER_HEAD + sizeof(tail) - 1 };
	_cleanup_free_ unsigned char *text = malloc(CHUNK);

	if (!text)
		return &dc_out_of_memory;
	for (uint64_t start = mapping->start; start < mapping->end; start += CHUNK - OVERLAP) {
		size_t n = mapping->end - start < CHUNK ? mapping->end - start : CHUNK;
		const unsigned char *at = text;

		n = memory_read_some(process, start, text, n);
		while ((at = memmem(at, n - (size_t)(at - text), tail, sizeof(tail)))) {
			size_t head = (size_t)(at++ - text);
			size_t form = 0;

			if (head >= 3 && !memcmp(at - 4, "\x48\xc7\xc0", 3))
				form = 3;
			else if (head >= 1 && at[-2] == 0xb8)
				form = 1;
			// One byte wide: only the address itself is returned to.
			if (form && !add(builder, start + head - form - 1, start + head - form,
					 UNSAFE_RESTORER, "a signal handler", module))
				return &dc_out_of_memory;
		}
	}
	return NULL;
}

// Where signal handlers return to: code of libc that no symbol names, known by its bytes.
static struct dc_error *add_restorers(struct builder *builder, const struct picker *picker,
				      struct process *process, const struct maps *maps)
{
	enum { MAX_TEXT = 16 << 20 };

	for (size_t i = 0; i < maps->n; i++) {
		const struct mapping *mapping = &maps->map[i];
		const struct module *module = mapping->executable
						      ? module_at(builder, mapping->start)
						      : NULL;

		if (!module || mapping->end - mapping->start > MAX_TEXT ||
		    !holds_libc(picker, module))
			continue;

		struct dc_error *err = add_restorers_in(builder, process, mapping, module->name);

		if (err)
			return err;
	}
	return NULL;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct unsafe_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : 0;
}

// Sorts, cuts overlaps and finds the spans.
static void finish(struct builder *builder, struct unsafe_table *ret)
{
	enum { NEAR = 16 << 20 };
	size_t n = 0;

	if (builder->n)
		qsort(builder->ranges, builder->n, sizeof(*builder->ranges), compare_ranges);
	for (size_t i = 0; i < builder->n; i++) {
		struct unsafe_range range = builder->ranges[i];

		if (n && range.start < builder->ranges[n - 1].end)
			range.start = builder->ranges[n - 1].end;
		if (range.start < range.end)
			builder->ranges[n++] = range;
	}
	*ret = (struct unsafe_table){ .ranges = builder->ranges, .n = n };
	for (size_t i = 0; i < n; i++) {
		size_t last = ret->nr_clusters - 1;

		if (ret->nr_clusters && (ret->nr_clusters == UNSAFE_CLUSTERS ||
					 ret->ranges[i].start - ret->clusters[last].end < NEAR)) {
			ret->clusters[last].end = ret->ranges[i].end;
		} else {
			ret->clusters[ret->nr_clusters].start = ret->ranges[i].start;
			ret->clusters[ret->nr_clusters++].end = ret->ranges[i].end;
		}
	}
}

static struct dc_error *build(struct builder *builder, struct picker *picker,
			      struct process *process)
{
	struct maps maps;
	struct dc_error *err = maps_read(process, &maps);

	if (err)
		return err;
	err = add_named(builder, picker, &maps);
	if (!err)
		err = add_gaps(builder, picker, &maps);
	if (!err)
		err = add_restorers(builder, picker, process, &maps);
	maps_deinit(&maps);
	return err;
}

struct dc_error *unsafe_table_create(struct process *process, struct symbols *symbols,
				     struct unsafe_table *ret)
{
	struct builder builder = { .symbols = symbols };
	_cleanup_free_ struct picker *picker = calloc(1, sizeof(*picker));

	if (!picker)
		return &dc_out_of_memory;
	unsafe_names_init(&picker->names);
	picker->is_static = true;
	builder.nr_modules = symbols_modules(symbols, &builder.modules);
	picker->program = builder.nr_modules ? builder.modules[0]->name : "";
	for (size_t i = 0; i < builder.nr_modules; i++)
		if (unsafe_names_libc_module(builder.modules[i]->name))
			picker->is_static = false;

	struct dc_error *err = build(&builder, picker, process);

	if (err) {
		free(builder.ranges);
		return err;
	}
	finish(&builder, ret);
	ret->is_blind = !builder.has_allocator;
	return NULL;
}

void unsafe_table_deinit(struct unsafe_table *table)
{
	free(table->ranges);
	*table = (struct unsafe_table){ 0 };
}

const struct unsafe_range *unsafe_find(const struct unsafe_table *table, uint64_t addr)
{
	size_t low = 0, high = table->n, i;

	for (i = 0; i < table->nr_clusters; i++)
		if (addr - table->clusters[i].start <
		    table->clusters[i].end - table->clusters[i].start)
			break;
	if (i == table->nr_clusters)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->ranges[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table->n && table->ranges[low].start <= addr ? &table->ranges[low] : NULL;
}
