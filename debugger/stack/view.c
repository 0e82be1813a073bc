// SPDX-License-Identifier: MIT
// Memory as one walk of a stack sees it.
// Unwinding reads the same few pages of tables byte by byte; the cache makes that one read a page.
#include "debugger/stack/view.h"

#include "debugger/base/cleanup.h"
#include "debugger/stack/unwind.h"
#include "debugger/target/memory.h"

#include <string.h>
#include <time.h>

// Not a page's address; zero is one.
static const uint64_t NO_PAGE = 1;

static void forget_pages(struct view *view)
{
	for (int i = 0; i < VIEW_SLOTS; i++)
		view->pages[i].addr = NO_PAGE;
}

struct dc_error *view_init(struct view *view, struct process *process)
{
	*view = (struct view){ .process = process };
	view->pages = calloc(VIEW_SLOTS, sizeof(*view->pages));
	if (!view->pages)
		return &dc_out_of_memory;
	forget_pages(view);
	return NULL;
}

void view_deinit(struct view *view)
{
	maps_deinit(&view->maps);
	free(view->pages);
	*view = (struct view){ 0 };
}

// Only what is kept matters: pages of files that nobody can write, and the kernel's own. Compilers at run time change
// their own pages all the time.
static bool is_kept(const struct mapping *mapping)
{
	return !mapping->writable && (mapping->inode || !strcmp(mapping->path, "[vdso]"));
}

static bool same_code(const struct maps *a, const struct maps *b)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a->n && !is_kept(&a->map[i]))
			i++;
		while (j < b->n && !is_kept(&b->map[j]))
			j++;
		if (i == a->n || j == b->n)
			return i == a->n && j == b->n;
		if (a->map[i].start != b->map[j].start || a->map[i].end != b->map[j].end ||
		    a->map[i].inode != b->map[j].inode || a->map[i].offset != b->map[j].offset)
			return false;
		i++;
		j++;
	}
}

struct dc_error *view_begin(struct view *view, const struct snapshot *snapshot, bool *changed)
{
	// A walk at a stop must cost microseconds, and reading the list costs a hundred. A module
	// that goes and leaves its very addresses to another one within this time is not expected.
	enum { FRESH_NS = 20000000 };
	struct maps maps;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	int64_t time = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;

	view->snapshot = snapshot;
	view->walk++;
	view->strayed = false;
	*changed = false;
	if (view->maps.n && time - view->maps_time < FRESH_NS)
		return NULL;

	struct dc_error *err = maps_read(view->process, &maps);

	if (err)
		return err;
	view->maps_time = time;
	*changed = !same_code(&view->maps, &maps);
	if (*changed)
		forget_pages(view);
	maps_deinit(&view->maps);
	view->maps = maps;
	return NULL;
}

static const unsigned char *find_page(struct view *view, uint64_t addr)
{
	struct view_page *page = &view->pages[addr / VIEW_PAGE % VIEW_SLOTS];
	const struct mapping *mapping;

	if (page->addr == addr && (!page->walk || page->walk == view->walk))
		return page->bytes;
	page->addr = NO_PAGE;
	mapping = maps_find(&view->maps, addr);
	view->strayed |= mapping && !is_kept(mapping);
	if (!mapping || memory_read_some(view->process, addr, page->bytes, VIEW_PAGE) != VIEW_PAGE)
		return NULL;
	page->addr = addr;
	page->walk = is_kept(mapping) ? 0 : view->walk;
	return page->bytes;
}

bool view_read(struct view *view, uint64_t addr, void *buf, size_t n)
{
	const struct snapshot *snapshot = view->snapshot;

	while (n) {
		uint64_t offset = snapshot->stack ? addr - snapshot->stack_start : UINT64_MAX;
		const unsigned char *from;
		size_t part;

		if (offset < snapshot->stack_size) {
			from = snapshot->stack + offset;
			part = snapshot->stack_size - offset;
		} else {
			from = find_page(view, addr & -(uint64_t)VIEW_PAGE);
			if (!from)
				return false;
			from += addr % VIEW_PAGE;
			part = VIEW_PAGE - addr % VIEW_PAGE;
			// The snapshot wins where it begins.
			if (snapshot->stack && addr < snapshot->stack_start &&
			    part > snapshot->stack_start - addr)
				part = snapshot->stack_start - addr;
		}
		if (part > n)
			part = n;
		memcpy(buf, from, part);
		buf = (char *)buf + part;
		addr += part;
		n -= part;
	}
	return true;
}

bool view_read_word(struct view *view, uint64_t addr, uint64_t *ret)
{
	return view_read(view, addr, ret, sizeof(*ret));
}

bool view_is_code(const struct view *view, uint64_t addr)
{
	const struct mapping *mapping = maps_find(&view->maps, addr);

	return mapping && mapping->executable;
}
