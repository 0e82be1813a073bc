// SPDX-License-Identifier: MIT
// Call sites: the one before a return address, its callee, what it put into a register.
#include "debugger/symbols/dwarf/call_site.h"
#include "debugger/symbols/dwarf/block.h"

#include <dwarf.h>
#include <string.h>

// Blocks and inlined functions nest; so do calls behind one another's tails.
enum { DEPTH_MAX = 32, VISITED_MAX = 64 };

static bool is_call(Dwarf_Die *die)
{
	return dwarf_tag(die) == DW_TAG_call_site || dwarf_tag(die) == DW_TAG_GNU_call_site;
}

static bool is_block(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

static bool is_tail(Dwarf_Die *site)
{
	return die_flag(site, DW_AT_call_tail_call) || die_flag(site, DW_AT_GNU_tail_call);
}

// Where the call returns to, as in the file.
static bool returns_to(Dwarf_Die *site, uint64_t *ret)
{
	Dwarf_Attribute attr;

	return (dwarf_attr(site, DW_AT_call_return_pc, &attr) ||
		dwarf_attr(site, DW_AT_low_pc, &attr)) &&
	       !dwarf_formaddr(&attr, ret);
}

// The site that calls the address after which it returns.
static bool site_before(Dwarf_Die *parent, uint64_t address, int depth, Dwarf_Die *ret)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;
	uint64_t its;

	for (bool more = die_walk_first(&walk, parent, &child); more;
	     more = die_walk_next(&walk, &child)) {
		if (is_call(&child) && returns_to(&child, &its) && its == address &&
		    !is_tail(&child)) {
			*ret = child;
			return true;
		}
		if (is_block(&child) && depth < DEPTH_MAX &&
		    site_before(&child, address, depth + 1, ret))
			return true;
	}
	return false;
}

// The callee's DIE, a declaration perhaps; false: it is called through a pointer.
static bool callee_of(Dwarf_Die *site, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;

	return (dwarf_attr(site, DW_AT_call_origin, &attr) ||
		dwarf_attr(site, DW_AT_abstract_origin, &attr)) &&
	       dwarf_formref_die(&attr, ret);
}

// What stands for a function wherever it is described.
static const char *identity(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *name = dwarf_attr_integrate(die, DW_AT_linkage_name, &attr)
				   ? dwarf_formstring(&attr)
				   : NULL;

	return name ? name : dwarf_diename(die);
}

// The abstract form that both a call and the code may refer to.
static const void *origin_of(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Die origin = *die, next;

	for (int hops = 0; hops < 4; hops++) {
		if ((!dwarf_attr(&origin, DW_AT_abstract_origin, &attr) &&
		     !dwarf_attr(&origin, DW_AT_specification, &attr)) ||
		    !dwarf_formref_die(&attr, &next))
			break;
		origin = next;
	}
	return origin.addr;
}

static bool same_function(Dwarf_Die *a, Dwarf_Die *b)
{
	const char *name_a = identity(a), *name_b = identity(b);
	uint64_t entry_a, entry_b;

	if (a->addr == b->addr || origin_of(a) == origin_of(b))
		return true;
	if (die_entry(a, &entry_a) && die_entry(b, &entry_b) && a->cu == b->cu)
		return entry_a == entry_b;
	return name_a && name_b && !strcmp(name_a, name_b) &&
	       (dwarf_hasattr_integrate(a, DW_AT_external) &&
		dwarf_hasattr_integrate(b, DW_AT_external));
}

struct visited {
	const void *die[VISITED_MAX];
	size_t n;
};

// Whether a chain of tail calls may lead from the function back to the sought one, which then has
// other arguments than its caller passed. What cannot be followed may.
static bool may_come_back(Dwarf_Die *function, Dwarf_Die *sought, Dwarf_Die *parent,
			  struct visited *visited, int depth)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child, callee;

	if (depth > DEPTH_MAX)
		return true;
	for (bool more = die_walk_first(&walk, parent, &child); more;
	     more = die_walk_next(&walk, &child)) {
		if (is_block(&child) && may_come_back(function, sought, &child, visited, depth + 1))
			return true;
		if (!is_call(&child) || !is_tail(&child))
			continue;
		if (!callee_of(&child, &callee) || same_function(&callee, sought))
			return true;

		const void *origin = origin_of(&callee);
		bool seen = false;

		for (size_t i = 0; i < visited->n; i++)
			seen |= visited->die[i] == origin;
		if (seen)
			continue;
		if (visited->n == VISITED_MAX)
			return true;
		visited->die[visited->n++] = origin;
		// Of another file's function nothing is known but that it is not the one of this
		// file alone.
		if (die_is_declaration(&callee)) {
			if (dwarf_hasattr_integrate(sought, DW_AT_external))
				return true;
			continue;
		}
		if (may_come_back(&callee, sought, &callee, visited, depth + 1))
			return true;
	}
	return false;
}

// The value that the site's caller says it put into the register.
static const char *passed_value(const struct location_frame *caller, Dwarf_Die *site, uint64_t reg,
				uint64_t *ret)
{
	struct die_walk walk = { 0 };
	Dwarf_Attribute attr;
	Dwarf_Die child;
	Dwarf_Op *ops;
	size_t n;

	for (bool more = die_walk_first(&walk, site, &child); more;
	     more = die_walk_next(&walk, &child)) {
		if ((dwarf_tag(&child) != DW_TAG_call_site_parameter &&
		     dwarf_tag(&child) != DW_TAG_GNU_call_site_parameter) ||
		    !dwarf_attr(&child, DW_AT_location, &attr) ||
		    dwarf_getlocation(&attr, &ops, &n) || n != 1 || ops[0].atom != DW_OP_reg0 + reg)
			continue;
		if (!dwarf_attr(&child, DW_AT_call_value, &attr) &&
		    !dwarf_attr(&child, DW_AT_GNU_call_site_value, &attr))
			break;
		return location_number(caller, &attr, ret);
	}
	return "optimized out: its caller does not tell what it passed";
}

// The frame of the caller alone.
static bool caller_frame(const struct symbols_frame *frame, struct symbols_frame *ret)
{
	if (!frame || !frame->nr_callers)
		return false;

	const struct symbols_caller *up = &frame->callers[0];

	*ret = (struct symbols_frame){ .pc = up->pc, .cfa = up->cfa, .valid = up->valid };
	memcpy(ret->regs, up->regs, sizeof(ret->regs));
	ret->nr_callers = frame->nr_callers - 1;
	memcpy(ret->callers, frame->callers + 1, ret->nr_callers * sizeof(*ret->callers));
	return true;
}

const char *call_site_value(const struct location_frame *where, uint64_t reg, uint64_t *ret)
{
	enum { REG_RIP = 16 };
	struct location_frame caller = { .symbols = where->symbols };
	struct symbols_frame frame;
	struct visited visited = { .n = 0 };
	Dwarf_Die unit, blocks[BLOCKS_MAX], site, callee;

	if (reg > 31 || !where->function || !caller_frame(where->frame, &frame) ||
	    !(frame.valid >> REG_RIP & 1))
		return "optimized out: the caller, which may know it, is not known";
	caller.frame = &frame;
	if (!symbols_unit(where->symbols, &frame, EFFORT_DEBUG_FILE, &caller.loaded, &unit))
		return "optimized out: the caller, which may know it, has no debug information";

	uint64_t bias = caller.loaded->module.bias;

	if (!block_chain(&unit, frame.pc - bias, blocks) ||
	    !site_before(&blocks[0], frame.regs[REG_RIP] - bias, 0, &site))
		return "optimized out: its caller does not tell what it passed";
	caller.function = &blocks[0];
	if (!callee_of(&site, &callee))
		return "optimized out: it was called through a pointer, maybe by way of another "
		       "function";
	if (!same_function(&callee, where->function))
		return "optimized out: it was reached by a tail call of another function";
	if (may_come_back(where->function, where->function, where->function, &visited, 0))
		return "optimized out: it may have been reached by a tail call";
	return passed_value(&caller, &site, reg, ret);
}
