// SPDX-License-Identifier: MIT
// The search for gadgets, in the modules that are likely to have them first.
#include "debugger/target/gadgets.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <string.h>

// The libc that makes all of a program's system calls; its objects and ld.so have what is needed on
// nearly every system, so that larger modules are seldom read.
static int rank(const struct mapping *mapping)
{
	const char *slash = strrchr(mapping->path, '/');
	const char *name = slash ? slash + 1 : mapping->path;

	if (!strcmp(mapping->path, "[vdso]"))
		return 1;
	if (!strncmp(name, "libc.", 5) || !strncmp(name, "libc-", 5) || !strncmp(name, "ld-", 3))
		return 0;
	// Execute-only and neither readable nor backed by memory.
	if (!strcmp(mapping->path, "[vsyscall]"))
		return -1;
	return slash ? 2 : -1;
}

// All of libc's text, since a chain's gadgets are rare; of other modules only what is needed.
static void scan_mapping(struct gadgets *found, struct process *process,
			 const struct mapping *mapping, bool whole)
{
	enum { CHUNK = 1 << 18 };
	_cleanup_free_ unsigned char *text = malloc(CHUNK);

	if (!text)
		return;
	for (uint64_t addr = mapping->start;
	     addr < mapping->end && (whole || !gadgets_complete(found));
	     addr += CHUNK - GADGET_SIZE_MAX) {
		size_t want = mapping->end - addr < CHUNK ? mapping->end - addr : CHUNK;
		size_t n = memory_read_some(process, addr, text, want);

		if (n > 1)
			gadgets_scan(found, text, n, addr);
		if (n < want || addr + want == mapping->end)
			break;
	}
}

// ---- kept with the process ------------------------------------------------------------------------

struct gadgets_kept {
	struct gadgets gadgets;
	size_t nr_pieces;
	struct piece {
		uint64_t addr;
		unsigned char bytes[GADGET_SIZE_MAX];
	} pieces[GADGET_HOME_WORDS + GADGET_POPS + 3];
};

static bool read_piece(struct process *process, uint64_t addr, unsigned char *bytes)
{
	return memory_read_some(process, addr, bytes, GADGET_SIZE_MAX) == GADGET_SIZE_MAX;
}

static bool is_text(const struct maps *maps, uint64_t addr)
{
	const struct mapping *mapping = maps_find(maps, addr);

	return mapping && mapping->executable;
}

static bool add_piece(struct gadgets_kept *kept, struct process *process, const struct maps *maps,
		      uint64_t addr)
{
	struct piece *piece = &kept->pieces[kept->nr_pieces];

	// Not every word of a way home is an address.
	if (!addr || !is_text(maps, addr))
		return true;
	piece->addr = addr;
	kept->nr_pieces++;
	return read_piece(process, addr, piece->bytes);
}

static void keep(struct process *process, const struct maps *maps, const struct gadgets *gadgets)
{
	struct gadgets_kept *kept = calloc(1, sizeof(*kept));
	bool good = kept;

	for (unsigned i = 0; good && i < gadgets->nr_home; i++)
		good = add_piece(kept, process, maps, gadgets->home[i]);
	for (unsigned i = 0; good && i < gadgets->chain.nr_pop_rbx; i++)
		good = add_piece(kept, process, maps, gadgets->chain.pop_rbx[i]);
	good = good && add_piece(kept, process, maps, gadgets->syscall) &&
	       add_piece(kept, process, maps, gadgets->chain.rax.addr) &&
	       add_piece(kept, process, maps, gadgets->chain.xmm0.addr);
	if (good)
		kept->gadgets = *gadgets;
	free(process->gadgets);
	process->gadgets = good ? take_ptr(kept) : NULL;
	free(kept);
}

static bool is_there_still(struct process *process, const struct maps *maps)
{
	const struct gadgets_kept *kept = process->gadgets;
	unsigned char bytes[GADGET_SIZE_MAX];
	bool same = kept;

	for (size_t i = 0; same && i < kept->nr_pieces; i++)
		same = is_text(maps, kept->pieces[i].addr) &&
		       read_piece(process, kept->pieces[i].addr, bytes) &&
		       !memcmp(bytes, kept->pieces[i].bytes, sizeof(bytes));
	return same;
}

struct dc_error *gadgets_find(struct process *process, const struct maps *maps, struct gadgets *ret)
{
	struct gadgets found = { 0 };

	if (is_there_still(process, maps)) {
		*ret = process->gadgets->gadgets;
		return NULL;
	}

	for (int wanted = 0; wanted <= 2; wanted++) {
		bool whole = !wanted;

		for (size_t i = 0; i < maps->n && (whole || !gadgets_complete(&found)); i++)
			if (maps->map[i].executable && rank(&maps->map[i]) == wanted)
				scan_mapping(&found, process, &maps->map[i], whole);
	}

	const char *lacks = gadgets_conclude(&found);

	if (lacks)
		return error_make(DC_REFUSED,
				  "the text of process %d (%s) has no %s to borrow a thread with",
				  process->pid, process->name, lacks);
	keep(process, maps, &found);
	*ret = found;
	return NULL;
}

void gadgets_inherit(struct process *process, const struct process *parent)
{
	struct gadgets_kept *kept = parent->gadgets ? malloc(sizeof(*kept)) : NULL;

	if (!kept)
		return;
	*kept = *parent->gadgets;
	free(process->gadgets);
	process->gadgets = kept;
}
