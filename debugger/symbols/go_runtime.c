// SPDX-License-Identifier: MIT
// One walk over the symbol table, and one look-up for each structure.
#include "debugger/symbols/go_runtime.h"

#include "debugger/arch/x86_64/go_code.h"
#include "debugger/base/cleanup.h"
#include "debugger/symbols/go.h"
#include "debugger/symbols/go_versions.h"
#include "debugger/symbols/set.h"
#include "debugger/target/memory.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

static struct loaded *program_of(struct symbols *symbols)
{
	struct loaded *program = symbols->list;

	while (program && !program->is_program)
		program = program->next;
	if (program && program->image)
		module_need_tables(program);
	return program && program->image && program->go ? program : NULL;
}

bool symbols_has_go_runtime(struct symbols *symbols)
{
	return program_of(symbols);
}

const char *symbols_go_version(struct symbols *symbols)
{
	const struct loaded *program = program_of(symbols);

	return program ? program->go->version : "";
}

int symbols_go_minor(struct symbols *symbols)
{
	const struct loaded *program = program_of(symbols);

	return program ? program->go->minor : 0;
}

bool symbols_go_each(struct symbols *symbols,
		     void (*visit)(const char *name, uint64_t addr, uint64_t size, void *arg),
		     void *arg)
{
	struct loaded *program = program_of(symbols);
	const struct symtab *debug = program ? module_debug_symtab(program) : NULL;
	const struct symtab *table = debug ? debug : program ? &program->symtab : NULL;
	const struct image *image = debug ? program->debug_image : program ? program->image : NULL;
	struct symbol symbol;

	for (size_t i = 0; table && i < table->n; i++)
		if (symtab_get(table, image, i, &symbol) &&
		    symbol.class & (SYMBOL_CODE | SYMBOL_DATA))
			visit(symbol.name, program->module.bias + symbol.value, symbol.size, arg);
	return table && table->n;
}

// ---- by debug information -------------------------------------------------------------------------

struct member {
	const char *type, *name;
	size_t at; // in struct go_offsets
};
#define MEMBER(type, name, field)                                         \
	{                                                                 \
		"runtime." type, name, offsetof(struct go_offsets, field) \
	}
static const struct member members[] = {
	MEMBER("g", "goid", g.id),
	MEMBER("g", "atomicstatus", g.status),
	MEMBER("g", "waitreason", g.wait_reason),
	MEMBER("g", "waitsince", g.wait_since),
	MEMBER("g", "m", g.m),
	MEMBER("g", "lockedm", g.locked_m),
	MEMBER("g", "sched", g.sched),
	MEMBER("g", "gopc", g.pc),
	MEMBER("g", "startpc", g.start_pc),
	MEMBER("g", "labels", g.labels),
	MEMBER("g", "syscallsp", g.syscall_sp),
	MEMBER("g", "syscallpc", g.syscall_pc),
	MEMBER("g", "_panic", g.panic),
	MEMBER("g", "_defer", g.defer),
	MEMBER("g", "schedlink", g.link),
	MEMBER("g", "asyncSafePoint", g.async),
	MEMBER("gobuf", "sp", saved.sp),
	MEMBER("gobuf", "pc", saved.pc),
	MEMBER("gobuf", "bp", saved.bp),
	MEMBER("m", "id", m.id),
	MEMBER("m", "procid", m.thread),
	MEMBER("m", "curg", m.current),
	MEMBER("m", "alllink", m.next),
	MEMBER("m", "g0", m.g0),
	MEMBER("m", "gsignal", m.gsignal),
	MEMBER("m", "p", m.p),
	MEMBER("m", "locks", m.locks),
	MEMBER("sweepdata", "lock", sweep.lock),
	MEMBER("sweepdata", "g", sweep.g),
	MEMBER("sweepdata", "parked", sweep.parked),
};
enum { NR_MEMBERS = sizeof(members) / sizeof(*members) };

struct search {
	const char *type;
	struct go_offsets *ret;
	bool found[NR_MEMBERS];
};

static bool take_members(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct search *search = arg;
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	(void)parent;
	if (die_is_declaration(die))
		return true;
	for (bool any = die_walk_first(&walk, die, &child); any;
	     any = die_walk_next(&walk, &child)) {
		const char *name = dwarf_diename(&child);
		uint64_t offset;

		if (!name || !die_number(&child, DW_AT_data_member_location, &offset))
			continue;
		if (!strcmp(search->type, "runtime.g") && !strcmp(name, "parentGoid")) {
			search->ret->g.parent = (uint32_t)offset;
			search->ret->has_parent = true;
		}
		for (size_t i = 0; i < NR_MEMBERS; i++) {
			if (strcmp(search->type, members[i].type) != 0 ||
			    strcmp(name, members[i].name) != 0)
				continue;
			*(uint32_t *)((char *)search->ret + members[i].at) = (uint32_t)offset;
			search->found[i] = true;
		}
	}
	return false;
}

static bool offsets_told(struct symbols *symbols, struct loaded *program, struct go_offsets *ret)
{
	struct units *info = module_dwarf(program, EFFORT_DEBUG_FILE);
	struct search search = { .ret = ret };
	const struct type *labels;
	struct dc_error *err;

	*ret = (struct go_offsets){ 0 };
	for (size_t i = 0; info && i < NR_MEMBERS; i++) {
		if (i && !strcmp(members[i].type, members[i - 1].type))
			continue;
		search.type = members[i].type;
		dc_error_destroy(
			units_find(info, NULL, search.type, WANT_STRUCT, take_members, &search));
	}
	for (size_t i = 0; i < NR_MEMBERS; i++)
		if (!search.found[i])
			return false;
	err = symbols_go_type(symbols, "runtime/pprof.labelMap", &labels);
	ret->has_label_lists = !err && type_strip(labels)->go_kind == GO_STRUCT;
	dc_error_destroy(err);
	return true;
}

// ---- variables ------------------------------------------------------------------------------------

struct piece {
	uint64_t start, size;
};

struct names {
	struct go_layout *layout;
	// Functions that name the variables where no symbols do.
	struct piece handler, sweeper, goroutines, machines, reasons;
	uint64_t main;
};

static void take_symbol(const char *name, uint64_t addr, uint64_t size, void *arg)
{
	struct names *names = arg;
	struct go_layout *layout = names->layout;

	if (strncmp(name, "runtime.", 8))
		return;
	name += 8;
	if (!strcmp(name, "allgs"))
		layout->allgs = addr;
	else if (!strcmp(name, "allm"))
		layout->allm = addr;
	else if (!strcmp(name, "testSigtrap"))
		layout->hook = addr;
	else if (!strcmp(name, "sweep"))
		layout->sweep = addr;
	else if (!strcmp(name, "waitReasonStrings")) {
		layout->wait_reasons = addr;
		layout->nr_wait_reasons = size / 16;
	} else if (!strcmp(name, "sighandler")) {
		names->handler = (struct piece){ addr, size };
	} else if (!strcmp(name, "bgsweep")) {
		names->sweeper = (struct piece){ addr, size };
	} else if (!strcmp(name, "allgadd")) {
		names->goroutines = (struct piece){ addr, size };
	} else if (!strcmp(name, "mcommoninit")) {
		names->machines = (struct piece){ addr, size };
	} else if (!strcmp(name, "waitReason.String")) {
		names->reasons = (struct piece){ addr, size };
	} else if (!strcmp(name, "main")) {
		names->main = addr;
	}
}

// In the code of one function; 0: it does not name the variable as it is known to.
static uint64_t named_in(struct symbols *symbols, const struct piece *piece,
			 uint64_t (*find)(const unsigned char *, size_t, uint64_t))
{
	enum { CODE_MAX = 1 << 16 };
	_cleanup_free_ unsigned char *code = NULL;

	if (!piece->start || !piece->size || piece->size > CODE_MAX)
		return 0;
	code = malloc(piece->size);
	if (!code ||
	    memory_read_some(symbols->process, piece->start, code, piece->size) != piece->size)
		return 0;
	return find(code, piece->size, piece->start);
}

static void find_variables(struct symbols *symbols, struct names *names)
{
	enum { REASONS_MAX = 64 };
	struct go_layout *layout = names->layout;

	if (!layout->hook)
		layout->hook = named_in(symbols, &names->handler, go_code_hook);
	if (!layout->sweep)
		layout->sweep = named_in(symbols, &names->sweeper, go_code_sweep);
	if (!layout->allgs)
		layout->allgs = named_in(symbols, &names->goroutines, go_code_slice);
	if (!layout->allm)
		layout->allm = named_in(symbols, &names->machines, go_code_list);
	if (!layout->wait_reasons) {
		layout->wait_reasons = named_in(symbols, &names->reasons, go_code_texts);
		layout->nr_wait_reasons = layout->wait_reasons ? REASONS_MAX : 0;
	}
}

// ---- by version -----------------------------------------------------------------------------------

static bool read_word(struct symbols *symbols, uint64_t addr, uint64_t *ret)
{
	return memory_read_some(symbols->process, addr, ret, sizeof(*ret)) == sizeof(*ret);
}

static bool is_word(struct symbols *symbols, uint64_t addr, uint64_t wanted)
{
	uint64_t value;

	return read_word(symbols, addr, &value) && value == wanted;
}

// A goroutine, or what a thread has in place of one.
static bool is_stack(struct symbols *symbols, uint64_t g)
{
	uint64_t ends[2];

	return memory_read_some(symbols->process, g, ends, sizeof(ends)) == sizeof(ends) &&
	       ends[0] < ends[1] && ends[1] - ends[0] < (uint64_t)1 << 40;
}

// What the structures hold is what it must be: threads that know their goroutines, which know them;
// a first goroutine that runs main.
static const char *disprove(struct symbols *symbols, const struct go_layout *layout, uint64_t main)
{
	enum { MACHINES_MAX = 1 << 16, LOOKED_AT = 64, STATUSES = 12, SCAN = 0x1000 };
	const struct go_offsets *at = &layout->at;
	uint64_t m = 0, list[3], g, id;
	size_t n = 0;

	if (!read_word(symbols, layout->allm, &m) || !m)
		return "its list of threads";
	for (; m && n < MACHINES_MAX; n++) {
		uint64_t g0, gsignal, thread;

		// Threads that C's are to become have no stack yet.
		if (!read_word(symbols, m + at->m.g0, &g0) || !is_word(symbols, g0 + at->g.m, m) ||
		    !read_word(symbols, m + at->m.gsignal, &gsignal) ||
		    !is_stack(symbols, gsignal) || !is_word(symbols, gsignal + at->g.m, m) ||
		    !read_word(symbols, m + at->m.thread, &thread) || thread >> 32 ||
		    !read_word(symbols, m + at->m.id, &id) || id > MACHINES_MAX)
			return "its threads";
		if (!read_word(symbols, m + at->m.next, &m))
			return "its list of threads";
	}
	if (m || id)
		return "its list of threads";
	if (memory_read_some(symbols->process, layout->allgs, list, sizeof(list)) != sizeof(list) ||
	    !list[1] || list[1] > list[2])
		return "its list of goroutines";
	for (uint64_t i = 0; i < list[1] && i < LOOKED_AT; i++) {
		uint64_t status;

		if (!read_word(symbols, list[0] + i * sizeof(g), &g) ||
		    !read_word(symbols, g + at->g.id, &id) ||
		    !read_word(symbols, g + at->g.status, &status) ||
		    ((uint32_t)status & ~(uint32_t)SCAN) >= STATUSES ||
		    (!i && (id != 1 || !is_word(symbols, g + at->g.start_pc, main))))
			return "its goroutines";
	}
	return NULL;
}

static struct dc_error *not_known(struct symbols *symbols, const char *what)
{
	const char *version = symbols_go_version(symbols);

	return error_make(
		DC_REFUSED, "the Go runtime of process %d (%s) is not known: %s (%s, without %s)",
		symbols->process->pid, symbols->process->name, what,
		*version ? version : "a Go that does not say its version", "debug information");
}

struct dc_error *symbols_go_layout(struct symbols *symbols, struct go_layout *ret, bool *found)
{
	struct loaded *program = program_of(symbols);
	struct names names = { .layout = ret };
	const struct go_offsets *known;
	const char *wrong;

	*ret = (struct go_layout){ 0 };
	*found = program;
	if (!program)
		return NULL;
	if (!symbols_go_each(symbols, take_symbol, &names))
		return not_known(symbols, program->go->problem ?: "it has no functions");
	find_variables(symbols, &names);
	if (!ret->allgs || !ret->allm)
		return not_known(symbols, "its code does not name its goroutines as others' does");
	if (offsets_told(symbols, program, &ret->at))
		return NULL;
	known = go_version_offsets(program->go->minor);
	if (!known)
		return not_known(symbols, "the fields of its structures are not those of a version "
					  "that is known");
	ret->at = *known;
	wrong = disprove(symbols, ret, names.main);
	if (!wrong)
		return NULL;
	return error_note(not_known(symbols, "its structures are not what they are elsewhere"),
			  "what was looked at: %s", wrong);
}
