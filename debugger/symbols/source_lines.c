// SPDX-License-Identifier: MIT
// Line tables, read unit by unit: a file touches the units that name it, an address one.
#include "debugger/symbols/source_lines.h"

#include "debugger/base/cleanup.h"
#include "debugger/symbols/dwarf/block.h"
#include "debugger/symbols/set.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

struct rows {
	struct source_line *row;
	size_t n, room;
};

static struct dc_error *add_row(struct rows *rows, const struct source_line *row)
{
	if (rows->n == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 16;
		struct source_line *more = reallocarray(rows->row, room, sizeof(*more));

		if (!more)
			return &dc_out_of_memory;
		rows->row = more;
		rows->room = room;
	}
	rows->row[rows->n++] = *row;
	return NULL;
}

static bool row_of(Dwarf_Lines *lines, size_t n, size_t i, uint64_t bias, struct source_line *ret)
{
	Dwarf_Line *line = dwarf_onesrcline(lines, i), *next;
	Dwarf_Addr addr, end;
	bool flag;

	if (!line || dwarf_lineaddr(line, &addr) || dwarf_lineno(line, &ret->line) ||
	    (!dwarf_lineendsequence(line, &flag) && flag))
		return false;
	ret->addr = addr + bias;
	ret->end = ret->addr;
	// Several rows may begin at one address; the code is the last one's.
	for (size_t k = i + 1; k < n && ret->end == ret->addr; k++) {
		next = dwarf_onesrcline(lines, k);
		if (next && !dwarf_lineaddr(next, &end))
			ret->end = end + bias;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct source_line *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static struct loaded *lines_at(struct symbols *symbols, uint64_t addr, Dwarf_Lines **lines,
			       size_t *n)
{
	struct symbols_frame frame = { .pc = addr };
	struct loaded *loaded;
	Dwarf_Die unit;

	*n = 0;
	if (!symbols_unit(symbols, &frame, EFFORT_OWN_FILE, &loaded, &unit) ||
	    dwarf_getsrclines(&unit, lines, n))
		return NULL;
	return loaded;
}

struct dc_error *symbols_lines_in(struct symbols *symbols, uint64_t start, uint64_t end,
				  line_visit *visit, void *arg)
{
	Dwarf_Lines *lines;
	size_t n;
	struct loaded *loaded = lines_at(symbols, start, &lines, &n);
	struct rows rows = { 0 };
	struct dc_error *err = NULL;

	for (size_t i = 0; loaded && !err && i < n; i++) {
		struct source_line row;

		if (!row_of(lines, n, i, loaded->module.bias, &row) || row.addr >= end ||
		    row.end <= start || row.end == row.addr)
			continue;
		row.file = dwarf_linesrc(dwarf_onesrcline(lines, i), NULL, NULL);
		err = add_row(&rows, &row);
	}
	if (!err && rows.n)
		qsort(rows.row, rows.n, sizeof(*rows.row), compare);
	for (size_t i = 0; !err && i < rows.n; i++) {
		// Of rows at one address the last in the table counts.
		if (i + 1 < rows.n && rows.row[i + 1].addr == rows.row[i].addr)
			continue;
		if (!visit(&rows.row[i], arg))
			break;
	}
	free(rows.row);
	return err;
}

// ---- names in force -------------------------------------------------------------------------------

static bool is_of_function(Dwarf_Die *scope)
{
	int tag = dwarf_tag(scope);

	return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
}

static bool visit_scope(Dwarf_Die *scope, bool arguments, bool variables,
			bool (*visit)(const char *, void *), void *arg)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, scope, &child); more;
	     more = die_walk_next(&walk, &child)) {
		int tag = dwarf_tag(&child);
		const char *name;

		if (!(tag == DW_TAG_formal_parameter && arguments) &&
		    !(tag == DW_TAG_variable && variables))
			continue;
		name = dwarf_diename(&child);
		// Go's compiler names what the source does not, and marks what is on the heap.
		if (!name || *name == '~' || *name == '.')
			continue;
		name += *name == '&';
		if (!die_is_declaration(&child) && !visit(name, arg))
			return false;
	}
	return true;
}

struct dc_error *symbols_each_local(struct symbols *symbols, const struct symbols_frame *frame,
				    enum names_of which, bool (*visit)(const char *name, void *),
				    void *arg)
{
	struct loaded *loaded;
	Dwarf_Die unit, scopes[BLOCKS_MAX];
	bool go_on = true, seen_function = false;

	if (!symbols_unit(symbols, frame, EFFORT_DEBUG_FILE, &loaded, &unit))
		return error_make(DC_NAME, "there is no debug information for this place");

	size_t n = block_chain(&unit, frame->pc - loaded->module.bias, scopes);

	if (!n)
		return error_make(DC_NAME, "the debug information has no function for this place");
	n = block_without(scopes, n, frame->inlined);
	while (n-- && go_on) {
		bool is_function = is_of_function(&scopes[n]);
		// The innermost function's parameters are the arguments; those of functions that it
		// is inlined into are names like others.
		bool its = is_function && !seen_function;

		if (which == NAMES_ARGUMENTS && its)
			go_on = visit_scope(&scopes[n], true, false, visit, arg);
		else if (which == NAMES_LOCALS)
			go_on = visit_scope(&scopes[n], !its, true, visit, arg);
		seen_function |= is_function;
	}
	return NULL;
}
