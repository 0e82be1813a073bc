// SPDX-License-Identifier: MIT
// An interpreter for the call frame information in .eh_frame, found through glibc's lock-free
// _dl_find_object.
#include "runtime/fault/unwind.h"
#include "runtime/fault/cursor.h"
#include "runtime/sched/g.h"

#include <dlfcn.h>
#include <ucontext.h>

enum { STATES = 4, EXPR_STACK = 16 };

// ---- finding the entry of a PC ------------------------------------------------------------------

enum { PE_ABS = 0, PE_PCREL = 0x10, PE_DATAREL = 0x30, PE_OMIT = 0xff };

static uint64_t encoded(struct cursor *c, uint8_t enc, uint64_t data)
{
	uint64_t at = (uintptr_t)c->p, v;

	if (enc == PE_OMIT)
		return 0;
	switch (enc & 0x0f) {
	case 0x01: v = uleb(c); break;
	case 0x02: v = take(c, 2); break;
	case 0x03: v = take(c, 4); break;
	case 0x09: v = (uint64_t)sleb(c); break;
	case 0x0a: v = (uint64_t)take_signed(c, 2); break;
	case 0x0b: v = (uint64_t)take_signed(c, 4); break;
	default: v = take(c, 8);
	}
	switch (enc & 0x70) {
	case PE_PCREL: return v + at;
	case PE_DATAREL: return v + data;
	}
	return v;
}

struct cie {
	struct cursor program;
	uint64_t code_align;
	int64_t data_align;
	uint8_t fde_enc;
	bool has_z, signal;
};

struct fde {
	struct cie cie;
	struct cursor program;
	uint64_t start, end;
};

static bool parse_cie(struct cie *cie, const uint8_t *p, const uint8_t *end)
{
	struct cursor c = { p, end };
	uint64_t len = take(&c, 4);
	const char *augmentation;
	uint8_t version;

	if (!len || len > (size_t)(c.end - c.p))
		return false;
	c.end = c.p + len;
	if (take(&c, 4) != 0)
		return false;
	version = (uint8_t)take(&c, 1);
	augmentation = (const char *)c.p;
	while (take(&c, 1))
		;
	cie->code_align = uleb(&c);
	cie->data_align = sleb(&c);
	uint64_t ra = version == 1 ? take(&c, 1) : uleb(&c);
	cie->fde_enc = PE_ABS;
	cie->has_z = *augmentation == 'z';
	cie->signal = false;
	if (cie->has_z) {
		uint64_t n = uleb(&c);
		struct cursor a = { c.p, c.p + n };
		if (n > (size_t)(c.end - c.p))
			return false;
		c.p += n;
		while (*++augmentation) {
			switch (*augmentation) {
			case 'R': cie->fde_enc = (uint8_t)take(&a, 1); break;
			case 'L': take(&a, 1); break;
			case 'P': encoded(&a, (uint8_t)take(&a, 1), 0); break;
			case 'S': cie->signal = true; break;
			}
		}
	}
	cie->program = c;
	return ra == UNWIND_PC;
}

static bool parse_fde(struct fde *fde, const uint8_t *p, const uint8_t *lo, const uint8_t *hi)
{
	struct cursor c = { p, hi };
	uint64_t len = take(&c, 4), back;
	const uint8_t *at;

	if (!len || len > (size_t)(c.end - c.p))
		return false;
	c.end = c.p + len;
	at = c.p;
	back = take(&c, 4);
	if (!back || back > (size_t)(at - lo) || !parse_cie(&fde->cie, at - back, hi))
		return false;
	fde->start = encoded(&c, fde->cie.fde_enc, 0);
	fde->end = fde->start + encoded(&c, fde->cie.fde_enc & 0x0f, 0);
	if (fde->cie.has_z) {
		uint64_t n = uleb(&c);
		if (n > (size_t)(c.end - c.p))
			return false;
		c.p += n;
	}
	fde->program = c;
	return true;
}

static bool find_fde(struct fde *fde, uint64_t pc)
{
	struct dl_find_object object;
	const uint8_t *hdr, *lo, *hi, *table;
	uint64_t n, left = 0;

	if (_dl_find_object((void *)pc, &object) || !object.dlfo_eh_frame)
		return false;
	hdr = object.dlfo_eh_frame;
	lo = object.dlfo_map_start;
	hi = object.dlfo_map_end;
	struct cursor c = { hdr, hi };
	if (hdr < lo || hdr >= hi || take(&c, 1) != 1)
		return false;
	uint8_t frame_enc = (uint8_t)take(&c, 1), count_enc = (uint8_t)take(&c, 1);
	// Every linker writes this one: pairs of signed 32-bit offsets from the header, sorted.
	if (take(&c, 1) != (PE_DATAREL | 0x0b))
		return false;
	encoded(&c, frame_enc, (uintptr_t)hdr);
	n = encoded(&c, count_enc, (uintptr_t)hdr);
	table = c.p;
	if (!n || n > (size_t)(hi - table) / 8)
		return false;
	for (uint64_t right = n; right - left > 1;) {
		uint64_t mid = left + (right - left) / 2;
		struct cursor e = { table + mid * 8, hi };
		if ((uintptr_t)hdr + (uint64_t)take_signed(&e, 4) <= pc)
			left = mid;
		else
			right = mid;
	}
	struct cursor e = { table + left * 8 + 4, hi };
	const uint8_t *p = hdr + take_signed(&e, 4);
	return p >= lo && p < hi && parse_fde(fde, p, lo, hi) && pc >= fde->start && pc < fde->end;
}

uint64_t gort__unwind_entry(uint64_t pc)
{
	struct fde fde;

	return find_fde(&fde, pc) ? fde.start : 0;
}

// ---- the instructions ---------------------------------------------------------------------------

enum how { HOW_SAME, HOW_UNDEFINED, HOW_SAVED, HOW_IS, HOW_REGISTER, HOW_SAVED_EXPR, HOW_IS_EXPR };

struct rule {
	enum how how;
	uint32_t len; // of an expression
	union {
		int64_t off;
		const uint8_t *expr;
	};
};

struct rules {
	struct rule cfa; // HOW_REGISTER with len = register, or HOW_IS_EXPR
	struct rule reg[UNWIND_REGS];
};

static void set(struct rules *r, uint64_t reg, enum how how, int64_t off)
{
	if (reg < UNWIND_REGS)
		r->reg[reg] = (struct rule){ .how = how, .off = off };
}

static void set_expr(struct rule *rule, enum how how, struct cursor *c)
{
	uint64_t len = uleb(c);

	*rule = (struct rule){ .how = how, .expr = c->p };
	if (len > (size_t)(c->end - c->p))
		len = (size_t)(c->end - c->p);
	rule->len = (uint32_t)len;
	c->p += len;
}

static void execute(const struct fde *fde, struct cursor c, struct rules *r,
		    const struct rules *initial, uint64_t pc)
{
	const struct cie *cie = &fde->cie;
	uint64_t at = fde->start, reg;
	struct rules saved[STATES];
	struct rule nothing;
	unsigned depth = 0;

	while (c.p < c.end) {
		uint8_t op = *c.p++;
		uint8_t low = op & 0x3f;

		switch (op & 0xc0) {
		case 0x40: at += low * cie->code_align; goto advanced;
		case 0x80: set(r, low, HOW_SAVED, (int64_t)uleb(&c) * cie->data_align); continue;
		case 0xc0:
			if (initial && low < UNWIND_REGS)
				r->reg[low] = initial->reg[low];
			continue;
		}
		switch (op) {
		case 0x00: break;
		case 0x01: at = encoded(&c, cie->fde_enc, 0); goto advanced;
		case 0x02: at += take(&c, 1) * cie->code_align; goto advanced;
		case 0x03: at += take(&c, 2) * cie->code_align; goto advanced;
		case 0x04: at += take(&c, 4) * cie->code_align; goto advanced;
		case 0x05:
			reg = uleb(&c);
			set(r, reg, HOW_SAVED, (int64_t)uleb(&c) * cie->data_align);
			break;
		case 0x06:
			reg = uleb(&c);
			if (initial && reg < UNWIND_REGS)
				r->reg[reg] = initial->reg[reg];
			break;
		case 0x07: set(r, uleb(&c), HOW_UNDEFINED, 0); break;
		case 0x08: set(r, uleb(&c), HOW_SAME, 0); break;
		case 0x09:
			reg = uleb(&c);
			set(r, reg, HOW_REGISTER, (int64_t)uleb(&c));
			break;
		case 0x0a:
			if (depth < STATES)
				saved[depth] = *r;
			depth++;
			break;
		case 0x0b:
			if (depth && --depth < STATES)
				*r = saved[depth];
			break;
		case 0x0c:
			reg = uleb(&c);
			r->cfa = (struct rule){ HOW_REGISTER,
						(uint32_t)reg,
						{ (int64_t)uleb(&c) } };
			break;
		case 0x0d: r->cfa.len = (uint32_t)uleb(&c); break;
		case 0x0e: r->cfa.off = (int64_t)uleb(&c); break;
		case 0x0f: set_expr(&r->cfa, HOW_IS_EXPR, &c); break;
		case 0x10:
			reg = uleb(&c);
			set_expr(reg < UNWIND_REGS ? &r->reg[reg] : &nothing, HOW_SAVED_EXPR, &c);
			break;
		case 0x11:
			reg = uleb(&c);
			set(r, reg, HOW_SAVED, sleb(&c) * cie->data_align);
			break;
		case 0x12:
			reg = uleb(&c);
			r->cfa = (struct rule){ HOW_REGISTER,
						(uint32_t)reg,
						{ sleb(&c) * cie->data_align } };
			break;
		case 0x13: r->cfa.off = sleb(&c) * cie->data_align; break;
		case 0x14:
			reg = uleb(&c);
			set(r, reg, HOW_IS, (int64_t)uleb(&c) * cie->data_align);
			break;
		case 0x15:
			reg = uleb(&c);
			set(r, reg, HOW_IS, sleb(&c) * cie->data_align);
			break;
		case 0x16:
			reg = uleb(&c);
			set_expr(reg < UNWIND_REGS ? &r->reg[reg] : &nothing, HOW_IS_EXPR, &c);
			break;
		case 0x2e: uleb(&c); break;
		default: return; // unknown: what is known so far must do
		}
		continue;
	advanced:
		if (at > pc)
			return;
	}
}

// ---- memory and expressions ---------------------------------------------------------------------

static bool load(const struct unwind *u, uint64_t addr, uint64_t *value)
{
	for (unsigned i = 0; i < sizeof(u->stack) / sizeof(u->stack[0]); i++) {
		const struct unwind_range *range = &u->stack[i];
		if (addr >= range->lo && addr < range->hi && range->hi - addr >= 8) {
			*value = *(const uint64_t *)addr;
			return true;
		}
	}
	return false;
}

static bool evaluate(const struct unwind *u, const struct rule *rule, const uint64_t *cfa,
		     uint64_t *value)
{
	struct cursor c = { rule->expr, rule->expr + rule->len };
	uint64_t stack[EXPR_STACK];
	unsigned n = 0, steps = 0;

	if (cfa)
		stack[n++] = *cfa;
	while (c.p < c.end && steps++ < 1000) {
		uint8_t op = *c.p++;
		uint64_t a, b, reg;

		if (n + 1 >= EXPR_STACK)
			return false;
		if (op >= 0x30 && op <= 0x4f) {
			stack[n++] = op - 0x30u;
			continue;
		}
		if ((op >= 0x70 && op <= 0x8f) || op == 0x92) {
			reg = op == 0x92 ? uleb(&c) : op - 0x70u;
			if (reg >= UNWIND_REGS)
				return false;
			stack[n++] = u->regs.reg[reg] + (uint64_t)sleb(&c);
			continue;
		}
		switch (op) {
		case 0x03: stack[n++] = take(&c, 8); continue;
		case 0x08: stack[n++] = take(&c, 1); continue;
		case 0x09: stack[n++] = (uint64_t)take_signed(&c, 1); continue;
		case 0x0a: stack[n++] = take(&c, 2); continue;
		case 0x0b: stack[n++] = (uint64_t)take_signed(&c, 2); continue;
		case 0x0c: stack[n++] = take(&c, 4); continue;
		case 0x0d: stack[n++] = (uint64_t)take_signed(&c, 4); continue;
		case 0x0e:
		case 0x0f: stack[n++] = take(&c, 8); continue;
		case 0x10: stack[n++] = uleb(&c); continue;
		case 0x11: stack[n++] = (uint64_t)sleb(&c); continue;
		case 0x96: continue;
		case 0x2f: {
			int64_t by = take_signed(&c, 2);
			if (by < rule->expr - c.p || by > c.end - c.p)
				return false;
			c.p += by;
			continue;
		}
		}
		if (n < 1)
			return false;
		a = stack[n - 1];
		switch (op) {
		case 0x06:
			if (!load(u, a, &stack[n - 1]))
				return false;
			continue;
		case 0x12: stack[n++] = a; continue;
		case 0x13: n--; continue;
		case 0x1f: stack[n - 1] = -a; continue;
		case 0x20: stack[n - 1] = ~a; continue;
		case 0x23: stack[n - 1] = a + uleb(&c); continue;
		case 0x28: {
			int64_t by = take_signed(&c, 2);
			n--;
			if (by < rule->expr - c.p || by > c.end - c.p)
				return false;
			if (a)
				c.p += by;
			continue;
		}
		}
		if (n < 2)
			return false;
		b = stack[n - 2];
		switch (op) {
		case 0x14: stack[n++] = b; continue;
		case 0x16:
			stack[n - 1] = b;
			stack[n - 2] = a;
			continue;
		case 0x1a: b &= a; break;
		case 0x1c: b -= a; break;
		case 0x1e: b *= a; break;
		case 0x21: b |= a; break;
		case 0x22: b += a; break;
		case 0x24: b = a < 64 ? b << a : 0; break;
		case 0x25: b = a < 64 ? b >> a : 0; break;
		case 0x27: b ^= a; break;
		case 0x29: b = b == a; break;
		case 0x2a: b = (int64_t)b >= (int64_t)a; break;
		case 0x2b: b = (int64_t)b > (int64_t)a; break;
		case 0x2c: b = (int64_t)b <= (int64_t)a; break;
		case 0x2d: b = (int64_t)b < (int64_t)a; break;
		case 0x2e: b = b != a; break;
		default: return false;
		}
		stack[--n - 1] = b;
	}
	if (!n)
		return false;
	*value = stack[n - 1];
	return true;
}

// ---- steps --------------------------------------------------------------------------------------

static bool known(const struct unwind *u, uint64_t reg)
{
	return reg < UNWIND_REGS && u->regs.known >> reg & 1;
}

// A frame must lie above the one it called, but a signal's may not: its stack is another.
static bool advance(struct unwind *u, const struct unwind_regs *caller, bool signal)
{
	if (!signal && caller->reg[UNWIND_RSP] <= u->regs.reg[UNWIND_RSP])
		return false;
	u->regs = *caller;
	u->exact = signal;
	return caller->reg[UNWIND_PC] != 0;
}

static bool step_row(struct unwind *u, const struct unwind_row *row)
{
	struct unwind_regs caller = u->regs;
	uint64_t cfa;

	if (row->last || !known(u, row->cfa_reg))
		return false;
	cfa = u->regs.reg[row->cfa_reg] + (uint64_t)(int64_t)row->cfa;
	for (unsigned i = 0; i < UNWIND_REGS; i++)
		if (row->saved[i] != UNWIND_SAME) {
			if (!load(u, cfa + (uint64_t)(int64_t)row->saved[i], &caller.reg[i]))
				return false;
			caller.known |= 1u << i;
		}
	caller.reg[UNWIND_RSP] = cfa;
	return advance(u, &caller, row->signal);
}

static bool step_rules(struct unwind *u, const struct rules *r, bool signal)
{
	struct unwind_regs caller = u->regs;
	bool rsp_given = false;
	uint64_t cfa, at;

	if (r->cfa.how == HOW_IS_EXPR) {
		if (!evaluate(u, &r->cfa, NULL, &cfa))
			return false;
	} else {
		if (!known(u, r->cfa.len))
			return false;
		cfa = u->regs.reg[r->cfa.len] + (uint64_t)r->cfa.off;
	}
	for (unsigned i = 0; i < UNWIND_REGS; i++) {
		const struct rule *rule = &r->reg[i];
		bool ok = true;
		switch (rule->how) {
		case HOW_SAME: continue;
		case HOW_UNDEFINED: ok = false; break;
		case HOW_SAVED: ok = load(u, cfa + (uint64_t)rule->off, &caller.reg[i]); break;
		case HOW_IS: caller.reg[i] = cfa + (uint64_t)rule->off; break;
		case HOW_REGISTER:
			ok = known(u, (uint64_t)rule->off);
			if (ok)
				caller.reg[i] = u->regs.reg[rule->off];
			break;
		case HOW_SAVED_EXPR:
			ok = evaluate(u, rule, &cfa, &at) && load(u, at, &caller.reg[i]);
			break;
		case HOW_IS_EXPR: ok = evaluate(u, rule, &cfa, &caller.reg[i]); break;
		}
		if (ok)
			caller.known |= 1u << i;
		else
			caller.known &= ~(1u << i);
		rsp_given |= i == UNWIND_RSP;
	}
	if (!rsp_given)
		caller.reg[UNWIND_RSP] = cfa;
	if (!(caller.known >> UNWIND_PC & 1))
		return false;
	return advance(u, &caller, signal);
}

// Rows that need no expression and lose no register are worth keeping: nearly all.
static bool simple(const struct rules *r, struct unwind_row *row)
{
	if (r->cfa.how != HOW_REGISTER || r->cfa.len >= UNWIND_REGS ||
	    r->cfa.off != (int32_t)r->cfa.off)
		return false;
	row->cfa_reg = (uint8_t)r->cfa.len;
	row->cfa = (int32_t)r->cfa.off;
	row->last = r->reg[UNWIND_PC].how == HOW_UNDEFINED;
	for (unsigned i = 0; i < UNWIND_REGS; i++) {
		const struct rule *rule = &r->reg[i];
		row->saved[i] = UNWIND_SAME;
		if (row->last)
			continue;
		if (rule->how == HOW_SAVED && i != UNWIND_RSP && rule->off < UNWIND_SAME &&
		    rule->off >= INT16_MIN)
			row->saved[i] = (int16_t)rule->off;
		else if (rule->how != HOW_SAME)
			return false;
	}
	return true;
}

// Code without frame information (some JIT or assembly): by its frame pointer, if that looks like
// one; and a jump to nowhere is undone by its return address.
static bool step_blind(struct unwind *u)
{
	struct unwind_regs caller = u->regs;
	struct dl_find_object object;
	uint64_t at = u->regs.reg[UNWIND_RSP];

	if (u->exact && _dl_find_object((void *)u->regs.reg[UNWIND_PC], &object)) {
		if (!load(u, at, &caller.reg[UNWIND_PC]))
			return false;
		caller.reg[UNWIND_RSP] = at + 8;
		if (!_dl_find_object((void *)caller.reg[UNWIND_PC], &object))
			return advance(u, &caller, false);
	}
	at = u->regs.reg[UNWIND_RBP];
	if (!known(u, UNWIND_RBP) || at % 8 || at < u->regs.reg[UNWIND_RSP] ||
	    !load(u, at, &caller.reg[UNWIND_RBP]) || !load(u, at + 8, &caller.reg[UNWIND_PC]) ||
	    _dl_find_object((void *)caller.reg[UNWIND_PC], &object))
		return false;
	caller.reg[UNWIND_RSP] = at + 16;
	return advance(u, &caller, false);
}

static bool step_slow(struct unwind *u, uint64_t pc, struct unwind_row *row)
{
	struct rules rules = { .cfa = { HOW_REGISTER, UNWIND_RSP, { 8 } } }, initial;
	struct unwind_row fresh;
	struct fde fde;

	if (!find_fde(&fde, pc))
		return step_blind(u);
	execute(&fde, fde.cie.program, &rules, NULL, UINT64_MAX);
	initial = rules;
	execute(&fde, fde.program, &rules, &initial, pc);
	if (!simple(&rules, &fresh))
		return rules.reg[UNWIND_PC].how != HOW_UNDEFINED &&
		       step_rules(u, &rules, fde.cie.signal);
	fresh.signal = fde.cie.signal;
	fresh.pc = pc;
	if (row) {
		// In an order that a reader who interrupts this can live with.
		row->pc = 0;
		gort__barrier();
		fresh.pc = 0;
		*row = fresh;
		gort__barrier();
		row->pc = pc;
	}
	return step_row(u, &fresh);
}

bool gort__unwind_step(struct unwind *u)
{
	uint64_t pc = gort__unwind_lookup(u);
	struct unwind_row *row = NULL;

	if (u->rows && pc) {
		// Two places for each: a hundred thousand stacks are mostly the same few PCs, and
		// two that wanted one place would be decoded anew each time.
		unsigned at = (pc ^ pc >> 8) & (u->nrows - 1);
		row = &u->rows[at];
		if (gort__likely(row->pc == pc))
			return step_row(u, row);
		if (row->pc)
			row = &u->rows[at ^ 1];
		if (row->pc == pc)
			return step_row(u, row);
	}
	return step_slow(u, pc, row);
}

void gort__unwind_context(struct unwind_regs *regs, const void *ucontext)
{
	// By DWARF number.
	static const uint8_t from[UNWIND_REGS] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
		REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
	};
	const ucontext_t *uc = ucontext;

	for (unsigned i = 0; i < UNWIND_REGS; i++)
		regs->reg[i] = (uint64_t)uc->uc_mcontext.gregs[from[i]];
	regs->known = (1u << UNWIND_REGS) - 1;
}

void gort__unwind_switch(struct unwind_regs *regs, const struct switch_frame *f)
{
	regs->reg[UNWIND_R12] = f->r12;
	regs->reg[UNWIND_R12 + 1] = f->r13;
	regs->reg[UNWIND_R12 + 2] = f->r14;
	regs->reg[UNWIND_R15] = f->r15;
	regs->reg[UNWIND_RBX] = f->rbx;
	regs->reg[UNWIND_RBP] = f->rbp;
	regs->reg[UNWIND_PC] = f->pc;
	regs->reg[UNWIND_RSP] = (uintptr_t)(f + 1);
	regs->known = 0x1f0c8;
}
