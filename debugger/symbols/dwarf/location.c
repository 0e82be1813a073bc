// SPDX-License-Identifier: MIT
// DWARF location expressions: a small stack machine over one frame's registers and the target's
// memory.
#include "debugger/symbols/dwarf/call_site.h"
#include "debugger/symbols/dwarf/location.h"
#include "debugger/symbols/dwarf/root.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <dwarf.h>
#include <string.h>

enum { STACK_DEPTH = 64, MAX_STEPS = 2000, MAX_VALUE = 1 << 20, MAX_FRAME_BASE = 2 };

enum result {
	RESULT_ADDRESS, // the stack's top
	RESULT_REGISTER,
	RESULT_VALUE, // the stack's top is the value itself
	RESULT_BYTES, // of the block
	RESULT_TLS, // the stack's top, in the module's block
	RESULT_NOTHING, // an empty piece: optimized out
};

struct machine {
	const struct location_frame *where;
	Dwarf_Attribute *attr;
	uint64_t stack[STACK_DEPTH];
	int depth;
	enum result result;
	int reg;
	Dwarf_Block block;
	const char *failed; // why there is no result
	int nesting; // frame bases are expressions too
};

static bool run(struct machine *m, Dwarf_Op *ops, size_t n, size_t *next);

static bool fail(struct machine *m, const char *why)
{
	m->failed = why;
	return false;
}

static bool push(struct machine *m, uint64_t value)
{
	if (m->depth == STACK_DEPTH)
		return fail(m, "its location is too deep");
	m->stack[m->depth++] = value;
	return true;
}

static bool pop(struct machine *m, uint64_t *ret)
{
	if (!m->depth)
		return fail(m, "its location is damaged");
	*ret = m->stack[--m->depth];
	return true;
}

static bool register_value(struct machine *m, uint64_t reg, uint64_t *ret)
{
	const struct symbols_frame *frame = m->where->frame;

	if (!frame || !frame->pc)
		return fail(m, "it needs a frame");
	if (reg > 16 || !(frame->valid >> reg & 1))
		return fail(m, "it is in a register that this frame does not keep");
	*ret = frame->regs[reg];
	return true;
}

static bool frame_base(struct machine *m, uint64_t *ret)
{
	struct machine base = { .where = m->where, .nesting = m->nesting + 1 };
	Dwarf_Attribute attr;
	Dwarf_Block block;
	Dwarf_Op *ops;
	size_t n, next;

	if (!m->where->function || !m->where->frame || !m->where->frame->pc)
		return fail(m, "it needs a frame");
	if (m->nesting >= MAX_FRAME_BASE ||
	    !dwarf_attr_integrate(m->where->function, DW_AT_frame_base, &attr))
		return fail(m, "its frame is not described");
	// Go's compiler writes it in a form that libdw takes for none of an expression's.
	if (!dwarf_formblock(&attr, &block) && block.length == 1 &&
	    block.data[0] == DW_OP_call_frame_cfa) {
		*ret = m->where->frame->cfa;
		return *ret || fail(m, "it needs a frame");
	}
	if (dwarf_getlocation_addr(&attr, m->where->frame->pc - m->where->loaded->module.bias, &ops,
				   &n, 1) != 1)
		return fail(m, "its frame is not described");
	base.attr = &attr;
	if (!run(&base, ops, n, &next))
		return fail(m, base.failed);
	if (base.result == RESULT_REGISTER)
		return register_value(m, base.reg, ret);
	if (base.result != RESULT_ADDRESS && base.result != RESULT_VALUE)
		return fail(m, "its frame is not described");
	*ret = base.stack[base.depth - 1];
	return true;
}

static bool read_memory(struct machine *m, uint64_t addr, size_t size, uint64_t *ret)
{
	*ret = 0;
	if (!size || size > 8)
		return fail(m, "its location is damaged");

	struct dc_error *err = memory_read(m->where->symbols->process, addr, ret, size);

	dc_error_destroy(err);
	return err ? fail(m, "its location cannot be read") : true;
}

static bool binary(struct machine *m, int atom)
{
	uint64_t b, a, result;

	if (!pop(m, &b) || !pop(m, &a))
		return false;

	int64_t x = (int64_t)a, y = (int64_t)b;

	switch (atom) {
	case DW_OP_plus: result = a + b; break;
	case DW_OP_minus: result = a - b; break;
	case DW_OP_mul: result = a * b; break;
	case DW_OP_and: result = a & b; break;
	case DW_OP_or: result = a | b; break;
	case DW_OP_xor: result = a ^ b; break;
	case DW_OP_shl: result = b < 64 ? a << b : 0; break;
	case DW_OP_shr: result = b < 64 ? a >> b : 0; break;
	case DW_OP_shra: result = b < 63 ? (uint64_t)(x >> b) : -(uint64_t)(x < 0); break;
	case DW_OP_div:
		if (!b)
			return fail(m, "its location is damaged");
		// The one quotient that does not fit.
		result = y == -1 ? -a : (uint64_t)(x / y);
		break;
	case DW_OP_mod:
		if (!b)
			return fail(m, "its location is damaged");
		result = a % b;
		break;
	case DW_OP_eq: result = x == y; break;
	case DW_OP_ne: result = x != y; break;
	case DW_OP_lt: result = x < y; break;
	case DW_OP_le: result = x <= y; break;
	case DW_OP_gt: result = x > y; break;
	case DW_OP_ge: result = x >= y; break;
	default: return fail(m, "its location is of a kind that is not known here");
	}
	return push(m, result);
}

static bool shuffle(struct machine *m, const Dwarf_Op *op)
{
	uint64_t pick = op->atom == DW_OP_dup ? 0 : op->atom == DW_OP_over ? 1 : op->number;
	uint64_t a, b, c;

	switch (op->atom) {
	case DW_OP_dup:
	case DW_OP_over:
	case DW_OP_pick:
		if (pick >= (uint64_t)m->depth)
			return fail(m, "its location is damaged");
		return push(m, m->stack[m->depth - 1 - pick]);
	case DW_OP_drop: return pop(m, &a);
	case DW_OP_swap: return pop(m, &a) && pop(m, &b) && push(m, a) && push(m, b);
	default:
		return pop(m, &a) && pop(m, &b) && pop(m, &c) && push(m, a) && push(m, c) &&
		       push(m, b);
	}
}

static bool address_attribute(struct machine *m, const Dwarf_Op *op)
{
	Dwarf_Attribute attr;
	Dwarf_Addr addr;
	Dwarf_Word value;

	if (dwarf_getlocation_attr(m->attr, op, &attr))
		return fail(m, "its location is damaged");
	if (!dwarf_formaddr(&attr, &addr)) {
		bool is_constant = op->atom == DW_OP_constx || op->atom == DW_OP_GNU_const_index;

		return push(m, is_constant ? addr : addr + m->where->loaded->module.bias);
	}
	return dwarf_formudata(&attr, &value) ? fail(m, "its location is damaged") : push(m, value);
}

// What a register had when the function was entered, as its caller tells.
static bool entry_value(struct machine *m, const Dwarf_Op *op)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;
	uint64_t value;

	if (dwarf_getlocation_attr(m->attr, op, &attr) || dwarf_getlocation(&attr, &ops, &n) ||
	    n != 1 || ops[0].atom < DW_OP_reg0 || ops[0].atom > DW_OP_reg31)
		return fail(m, "optimized out: only its value at entry was described");

	const char *why = call_site_value(m->where, ops[0].atom - DW_OP_reg0, &value);

	return why ? fail(m, why) : push(m, value);
}

static bool step(struct machine *m, const Dwarf_Op *op)
{
	uint64_t value;

	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(m, op->atom - DW_OP_lit0);
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return register_value(m, op->atom - DW_OP_breg0, &value) &&
		       push(m, value + op->number);
	switch (op->atom) {
	case DW_OP_addr: return push(m, op->number + m->where->loaded->module.bias);
	case DW_OP_const1u:
	case DW_OP_const2u:
	case DW_OP_const4u:
	case DW_OP_const8u:
	case DW_OP_constu:
	case DW_OP_const1s:
	case DW_OP_const2s:
	case DW_OP_const4s:
	case DW_OP_const8s:
	case DW_OP_consts: return push(m, op->number);
	case DW_OP_addrx:
	case DW_OP_constx:
	case DW_OP_GNU_addr_index:
	case DW_OP_GNU_const_index: return address_attribute(m, op);
	case DW_OP_bregx:
		return register_value(m, op->number, &value) && push(m, value + op->number2);
	case DW_OP_fbreg: return frame_base(m, &value) && push(m, value + op->number);
	case DW_OP_call_frame_cfa:
		if (!m->where->frame || !m->where->frame->pc || !m->where->frame->cfa)
			return fail(m, "it needs a frame");
		return push(m, m->where->frame->cfa);
	case DW_OP_dup:
	case DW_OP_drop:
	case DW_OP_over:
	case DW_OP_pick:
	case DW_OP_swap:
	case DW_OP_rot: return shuffle(m, op);
	case DW_OP_deref:
		return pop(m, &value) && read_memory(m, value, 8, &value) && push(m, value);
	case DW_OP_deref_size:
		return pop(m, &value) && read_memory(m, value, op->number, &value) &&
		       push(m, value);
	case DW_OP_plus_uconst: return pop(m, &value) && push(m, value + op->number);
	case DW_OP_neg: return pop(m, &value) && push(m, -value);
	case DW_OP_not: return pop(m, &value) && push(m, ~value);
	case DW_OP_abs: return pop(m, &value) && push(m, (int64_t)value < 0 ? -value : value);
	case DW_OP_nop: return true;
	case DW_OP_entry_value:
	case DW_OP_GNU_entry_value: return entry_value(m, op);
	case DW_OP_implicit_pointer:
	case DW_OP_GNU_implicit_pointer:
		return fail(m, "optimized out: what it points to is not in memory");
	case DW_OP_call2:
	case DW_OP_call4:
	case DW_OP_call_ref:
	case DW_OP_GNU_variable_value:
	case DW_OP_GNU_parameter_ref: return fail(m, "optimized out");
	default: return binary(m, op->atom);
	}
}

// The operation that a branch leads to; n when it leads to the end, more when nowhere.
static size_t branch_target(const Dwarf_Op *ops, size_t n, size_t at)
{
	// Offsets count bytes of the expression; a branch is three bytes long.
	uint64_t offset = ops[at].offset + 3 + (uint64_t)(int64_t)(int16_t)ops[at].number;

	for (size_t i = 0; i < n; i++) {
		if (ops[i].offset == offset)
			return i;
	}
	return n + 1;
}

// Up to the end or to a piece; *next is the operation behind.
static bool run(struct machine *m, Dwarf_Op *ops, size_t n, size_t *next)
{
	int steps = 0;
	size_t i = *next = 0;

	m->depth = 0;
	m->result = RESULT_NOTHING;
	while (i < n) {
		Dwarf_Op *op = &ops[i];
		uint64_t value;

		if (++steps > MAX_STEPS)
			return fail(m, "its location does not end");
		if (op->atom == DW_OP_piece || op->atom == DW_OP_bit_piece)
			break;
		if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) {
			m->result = RESULT_REGISTER;
			m->reg = op->atom - DW_OP_reg0;
		} else if (op->atom == DW_OP_regx) {
			m->result = RESULT_REGISTER;
			m->reg = op->number < 1000 ? (int)op->number : 1000;
		} else if (op->atom == DW_OP_stack_value) {
			m->result = RESULT_VALUE;
		} else if (op->atom == DW_OP_implicit_value) {
			if (dwarf_getlocation_implicit_value(m->attr, op, &m->block))
				return fail(m, "its location is damaged");
			m->result = RESULT_BYTES;
		} else if (op->atom == DW_OP_form_tls_address ||
			   op->atom == DW_OP_GNU_push_tls_address) {
			m->result = RESULT_TLS;
		} else if (op->atom == DW_OP_skip) {
			i = branch_target(ops, n, i);
			if (i > n)
				return fail(m, "its location is damaged");
			continue;
		} else if (op->atom == DW_OP_bra) {
			if (!pop(m, &value))
				return false;
			i = value ? branch_target(ops, n, i) : i + 1;
			if (i > n)
				return fail(m, "its location is damaged");
			continue;
		} else {
			if (!step(m, op))
				return false;
			m->result = RESULT_ADDRESS;
		}
		i++;
	}
	*next = i;
	if ((m->result == RESULT_ADDRESS || m->result == RESULT_VALUE || m->result == RESULT_TLS) &&
	    !m->depth)
		return fail(m, "its location is damaged");
	return true;
}

// ---- what a run means ------------------------------------------------------------------------

static struct dc_error *gone(struct variable *ret, const char *why)
{
	ret->place = VARIABLE_GONE;
	ret->why_gone = why;
	return NULL;
}

static struct dc_error *constant(struct symbols *symbols, struct variable *ret, const void *bytes,
				 size_t n)
{
	uint64_t size = type_strip(ret->type)->size;

	if (size > MAX_VALUE)
		return gone(ret, "optimized out");

	unsigned char *copy = types_alloc(symbols->types, size ? size : 1);

	if (!copy)
		return &dc_out_of_memory;
	memcpy(copy, bytes, n < size ? n : size);
	ret->place = VARIABLE_CONSTANT;
	ret->bytes = copy;
	ret->nr_bytes = size;
	return NULL;
}

// One piece's bytes; false: they cannot be had.
static bool piece_bytes(struct machine *m, unsigned char *to, size_t size)
{
	uint64_t value;

	switch (m->result) {
	case RESULT_ADDRESS: {
		struct dc_error *err = memory_read(m->where->symbols->process,
						   m->stack[m->depth - 1], to, size);

		dc_error_destroy(err);
		return !err;
	}
	case RESULT_REGISTER:
		if (size > 8 || !register_value(m, (uint64_t)m->reg, &value))
			return false;
		memcpy(to, &value, size);
		return true;
	case RESULT_VALUE:
		if (size > 8)
			return false;
		memcpy(to, &m->stack[m->depth - 1], size);
		return true;
	case RESULT_BYTES:
		if (size > m->block.length)
			return false;
		memcpy(to, m->block.data, size);
		return true;
	default: return false;
	}
}

// A value in pieces has no one place: its bytes are put together, to be read and not assigned to.
static struct dc_error *assemble(struct machine *m, Dwarf_Op *ops, size_t n, struct variable *ret)
{
	uint64_t size = type_strip(ret->type)->size, at = 0;
	_cleanup_free_ unsigned char *bytes = NULL;

	if (!size || size > MAX_VALUE)
		return gone(ret, "optimized out");
	bytes = calloc(1, size);
	if (!bytes)
		return &dc_out_of_memory;
	while (n && at < size) {
		size_t next;

		if (!run(m, ops, n, &next))
			return gone(ret, m->failed);
		if (next >= n || ops[next].atom != DW_OP_piece || ops[next].number > size - at ||
		    !piece_bytes(m, bytes + at, ops[next].number))
			return gone(ret, "partly optimized out");
		at += ops[next].number;
		ops += next + 1;
		n -= next + 1;
	}
	if (at < size)
		return gone(ret, "partly optimized out");
	return constant(m->where->symbols, ret, bytes, size);
}

static struct dc_error *from_expression(const struct location_frame *where, Dwarf_Attribute *attr,
					Dwarf_Op *ops, size_t n, struct variable *ret)
{
	struct machine m = { .where = where, .attr = attr };
	size_t next;

	if (!n)
		return gone(ret, "optimized out");
	for (size_t i = 0; i < n; i++) {
		if (ops[i].atom == DW_OP_piece || ops[i].atom == DW_OP_bit_piece)
			return assemble(&m, ops, n, ret);
	}
	if (!run(&m, ops, n, &next))
		return gone(ret, m.failed);
	switch (m.result) {
	case RESULT_ADDRESS:
		ret->place = VARIABLE_MEMORY;
		ret->addr = m.stack[m.depth - 1];
		// What --gc-sections dropped is described at address zero.
		if (ops[0].atom == DW_OP_addr && !ops[0].number)
			return gone(ret, "removed by the linker");
		return NULL;
	case RESULT_REGISTER:
		ret->place = VARIABLE_REGISTER;
		ret->reg = m.reg;
		if (m.reg <= 16 && !(where->frame && where->frame->valid >> m.reg & 1))
			return gone(ret, "it is in a register that this frame does not keep");
		return NULL;
	case RESULT_VALUE:
		return constant(where->symbols, ret, &m.stack[m.depth - 1], sizeof(m.stack[0]));
	case RESULT_BYTES: return constant(where->symbols, ret, m.block.data, m.block.length);
	case RESULT_TLS:
		ret->place = VARIABLE_TLS;
		ret->addr = m.stack[m.depth - 1];
		return NULL;
	default: return gone(ret, "optimized out");
	}
}

static struct dc_error *from_const_value(const struct location_frame *where, Dwarf_Attribute *attr,
					 struct variable *ret)
{
	Dwarf_Block block;
	Dwarf_Word value;
	Dwarf_Sword signed_value;
	const char *text;

	switch (dwarf_whatform(attr)) {
	case DW_FORM_block:
	case DW_FORM_block1:
	case DW_FORM_block2:
	case DW_FORM_block4:
		if (dwarf_formblock(attr, &block))
			break;
		return constant(where->symbols, ret, block.data, block.length);
	case DW_FORM_string:
	case DW_FORM_strp:
	case DW_FORM_line_strp:
		text = dwarf_formstring(attr);
		if (!text)
			break;
		return constant(where->symbols, ret, text, strlen(text) + 1);
	case DW_FORM_sdata:
	case DW_FORM_implicit_const:
		if (dwarf_formsdata(attr, &signed_value))
			break;
		return constant(where->symbols, ret, &signed_value, sizeof(signed_value));
	default:
		if (dwarf_formudata(attr, &value))
			break;
		return constant(where->symbols, ret, &value, sizeof(value));
	}
	return gone(ret, "its value is damaged");
}

const char *location_number(const struct location_frame *where, Dwarf_Attribute *attr,
			    uint64_t *ret)
{
	struct machine m = { .where = where, .attr = attr };
	Dwarf_Op *ops;
	size_t n, next;

	if (dwarf_getlocation(attr, &ops, &n) || !n)
		return "its location is damaged";
	if (!run(&m, ops, n, &next) || next != n)
		return m.failed ? m.failed : "its location is damaged";
	if (m.result != RESULT_ADDRESS && m.result != RESULT_VALUE)
		return "optimized out";
	*ret = m.stack[m.depth - 1];
	return NULL;
}

struct dc_error *location_of(const struct location_frame *where, Dwarf_Die *die,
			     struct variable *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	if (dwarf_attr_integrate(die, DW_AT_const_value, &attr))
		return from_const_value(where, &attr, ret);
	if (!dwarf_attr_integrate(die, DW_AT_location, &attr))
		return gone(ret, "optimized out");

	uint64_t pc = where->frame ? where->frame->pc - where->loaded->module.bias : 0;
	int found = dwarf_getlocation_addr(&attr, pc, &ops, &n, 1);

	if (found < 0)
		return gone(ret, "its location is damaged");
	if (!found)
		return gone(ret, "optimized out here");
	if (pc && !where->frame->valid)
		root_of(where, ops, n, ret);
	return from_expression(where, &attr, ops, n, ret);
}
