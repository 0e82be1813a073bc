// SPDX-License-Identifier: MIT
// Frames of a thread, by libunwind over a snapshot. Where there are no tables (musl, hand-written
// code, sigreturn by any restorer) a step is proven from the instructions, or the walk ends.
#include "debugger/stack/unwind.h"

#include "debugger/base/cleanup.h"
#include "debugger/stack/frame_registers.h"
#include "debugger/stack/proof.h"
#include "debugger/stack/tables.h"
#include "debugger/stack/view.h"
#include "debugger/symbols/go.h"

#include <libunwind-x86_64.h>
#include <string.h>
#include <sys/ucontext.h>

// Exported by libunwind-x86_64, which looks through a table in another process with it.
int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *info,
				       unw_proc_info_t *ret, int need_unwind_info, void *arg);

enum { TABLED = 1024 };

struct unwind {
	struct symbols *symbols;
	struct view view;
	unw_addr_space_t space;
	struct frame_registers now; // of the frame that a step starts from
	const char *why; // the last walk is not complete
	struct tables tables; // the last ones used
	// Code addresses that are known to have tables, and to have none, by their lowest bits.
	uint64_t tabled[TABLED], untabled[TABLED];
};

// libunwind's numbers for x86-64 are DWARF's.
_Static_assert((int)UNW_X86_64_RSP == (int)REGISTER_RSP && (int)UNW_X86_64_RIP == (int)REGISTER_RIP,
	       "");

static const struct tables *find_tables(struct unwind *unwind, uint64_t pc)
{
	if (pc - unwind->tables.start < unwind->tables.end - unwind->tables.start)
		return &unwind->tables;
	if (!tables_find(&unwind->view, pc, &unwind->tables)) {
		unwind->tables = (struct tables){ 0 };
		return NULL;
	}
	return &unwind->tables;
}

static int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *ret,
			  int need_unwind_info, void *arg)
{
	const struct tables *tables = find_tables(arg, ip);

	if (!tables || !tables->nr_entries)
		return -UNW_ENOINFO;

	unw_dyn_info_t info = {
		.start_ip = tables->start,
		.end_ip = tables->end,
		.format = UNW_INFO_FORMAT_REMOTE_TABLE,
		.u.rti = {
			.segbase = tables->header,
			.table_len = tables->nr_entries, // in words: an entry is two halves
			.table_data = tables->table,
		},
	};

	return _Ux86_64_dwarf_search_unwind_table(space, ip, &info, ret, need_unwind_info, arg);
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info, void *arg)
{
	// libunwind takes back by itself what it made for a table.
	(void)space, (void)info, (void)arg;
}

static int get_dyn_info_list_addr(unw_addr_space_t space, unw_word_t *ret, void *arg)
{
	(void)space, (void)ret, (void)arg;
	return -UNW_ENOINFO;
}

static int access_mem(unw_addr_space_t space, unw_word_t addr, unw_word_t *value, int write,
		      void *arg)
{
	struct unwind *unwind = arg;

	(void)space;
	return !write && view_read_word(&unwind->view, addr, value) ? 0 : -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t reg, unw_word_t *value, int write,
		      void *arg)
{
	struct unwind *unwind = arg;

	(void)space;
	if (write || reg < 0 || reg >= REGISTERS_DWARF || !register_is_known(&unwind->now, reg))
		return -UNW_EBADREG;
	*value = unwind->now.value[reg];
	return 0;
}

static int access_fpreg(unw_addr_space_t space, unw_regnum_t reg, unw_fpreg_t *value, int write,
			void *arg)
{
	(void)space, (void)reg, (void)value, (void)write, (void)arg;
	return -UNW_EBADREG;
}

static int resume(unw_addr_space_t space, unw_cursor_t *cursor, void *arg)
{
	(void)space, (void)cursor, (void)arg;
	return -UNW_EINVAL;
}

static int get_proc_name(unw_addr_space_t space, unw_word_t addr, char *name, size_t n,
			 unw_word_t *offset, void *arg)
{
	(void)space, (void)addr, (void)name, (void)n, (void)offset, (void)arg;
	return -UNW_ENOINFO;
}

struct dc_error *unwind_create(struct process *process, struct symbols *symbols,
			       struct unwind **ret)
{
	static unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = get_dyn_info_list_addr,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = resume,
		.get_proc_name = get_proc_name,
	};
	struct unwind *unwind = calloc(1, sizeof(*unwind));

	if (!unwind)
		return &dc_out_of_memory;
	unwind->symbols = symbols;

	struct dc_error *err = view_init(&unwind->view, process);

	if (!err) {
		unwind->space = unw_create_addr_space(&accessors, 0);
		if (!unwind->space)
			err = &dc_out_of_memory;
	}
	if (err) {
		unwind_destroy(unwind);
		return err;
	}
	unw_set_caching_policy(unwind->space, UNW_CACHE_GLOBAL);
	*ret = unwind;
	return NULL;
}

void unwind_destroy(struct unwind *unwind)
{
	if (!unwind)
		return;
	if (unwind->space)
		unw_destroy_addr_space(unwind->space);
	view_deinit(&unwind->view);
	free(unwind);
}

enum step {
	STEP_TABLE, // by the program's own unwind tables
	STEP_PROVEN, // by its instructions, and they agree with what the stack holds
	STEP_GUESS, // by the frame pointer alone
	STEP_END, // this was the thread's first frame
	STEP_NONE,
};

static bool step_over_signal(struct unwind *unwind)
{
	static const unsigned char order[REGISTERS_DWARF] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
		REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
	};
	gregset_t saved;

	if (!view_read(&unwind->view,
		       unwind->now.value[REGISTER_RSP] + offsetof(ucontext_t, uc_mcontext.gregs),
		       saved, sizeof(saved)))
		return false;
	for (int i = 0; i < REGISTERS_DWARF; i++)
		register_learn(&unwind->now, i, (uint64_t)saved[order[i]]);
	return true;
}

static enum step step_by_table(struct unwind *unwind, bool is_innermost)
{
	uint64_t pc = unwind->now.value[REGISTER_RIP], looked_up = is_innermost ? pc : pc - 1;
	uint64_t *tabled = &unwind->tabled[looked_up % TABLED];
	struct frame_registers caller = { .known = 0 };
	unw_cursor_t cursor;
	unw_proc_info_t info;
	int more = -UNW_ENOINFO;

	// A return address may lie behind its function, or in the row after: its call is what
	// counts.
	unwind->now.value[REGISTER_RIP] = looked_up;
	// Asked for first, because without tables unw_step() would guess.
	if (*tabled != looked_up && find_proc_info(unwind->space, looked_up, &info, 0, unwind) == 0)
		*tabled = looked_up;
	if (*tabled == looked_up && unw_init_remote(&cursor, unwind->space, unwind) == 0)
		more = unw_step(&cursor);
	for (int i = 0; more > 0 && i < REGISTERS_DWARF; i++) {
		unw_word_t value;

		if (unw_get_reg(&cursor, i, &value) == 0)
			register_learn(&caller, i, value);
	}
	unwind->now.value[REGISTER_RIP] = pc;
	if (more > 0)
		unwind->now = caller;
	return more > 0 ? STEP_TABLE : more == 0 ? STEP_END : STEP_NONE;
}

// The tables count from RBP, which is not known. But from the function's entry on its code tells how
// deep the stack is here and where RBP points; the tables must come to the same CFA with it, and
// what lies there must have been left by a call.
static enum step step_by_code(struct unwind *unwind, bool is_innermost)
{
	const struct frame_registers before = unwind->now;
	struct frame_registers entry = before, proven = before;
	uint64_t pc = before.value[REGISTER_RIP], sp = before.value[REGISTER_RSP], rbp, cfa;
	unw_proc_info_t info;

	if (register_is_known(&before, REGISTER_RBP) ||
	    find_proc_info(unwind->space, is_innermost ? pc : pc - 1, &info, 0, unwind) != 0)
		return STEP_NONE;
	// A part of a function that was moved away does not begin with the return address on top.
	entry.value[REGISTER_RIP] = info.start_ip;
	unwind->now = entry;
	if (step_by_table(unwind, true) == STEP_TABLE &&
	    unwind->now.value[REGISTER_RSP] == sp + 8 &&
	    proof_frame_pointer(&unwind->view, info.start_ip, &before, &rbp, &cfa)) {
		register_learn(&proven, REGISTER_RBP, rbp);
		unwind->now = proven;
		if (step_by_table(unwind, is_innermost) == STEP_TABLE &&
		    unwind->now.value[REGISTER_RSP] == cfa &&
		    proof_is_return(&unwind->view, unwind->now.value[REGISTER_RIP]))
			return STEP_PROVEN;
	}
	unwind->now = before;
	return STEP_NONE;
}

// Go's own table tells how deep the stack is. Its functions save the frame pointer, and nothing else,
// below the return address.
static enum step step_by_go(struct unwind *unwind, bool is_innermost)
{
	const struct frame_registers before = unwind->now;
	struct frame_registers caller = { .known = 0 };
	uint64_t pc = before.value[REGISTER_RIP], words[2], depth, cfa, back_depth;
	bool is_first;

	if (!symbols_go_depth(unwind->symbols, is_innermost ? pc : pc - 1, &depth, &is_first))
		return STEP_NONE;
	if (is_first)
		return STEP_END;
	cfa = before.value[REGISTER_RSP] + depth + 8;
	if (!view_read(&unwind->view, cfa - sizeof(words), words, sizeof(words)) ||
	    (!proof_is_return(&unwind->view, words[1]) &&
	     !(symbols_go_depth(unwind->symbols, words[1] - 1, &back_depth, &is_first) &&
	       is_first)))
		return STEP_NONE;
	register_learn(&caller, REGISTER_RIP, words[1]);
	register_learn(&caller, REGISTER_RSP, cfa);
	// Before it points there it is the caller's still.
	if (register_is_known(&before, REGISTER_RBP))
		register_learn(&caller, REGISTER_RBP,
			       before.value[REGISTER_RBP] == cfa - sizeof(words)
				       ? words[0]
				       : before.value[REGISTER_RBP]);
	unwind->now = caller;
	return STEP_TABLE;
}

// Code without tables that keeps frame pointers, as compilers at run time do.
static enum step step_by_frame_pointer(struct unwind *unwind)
{
	enum { MAX_FRAME = 1 << 20 };
	uint64_t frame = unwind->now.value[REGISTER_RBP], caller[2];

	if (!register_is_known(&unwind->now, REGISTER_RBP) || frame % 8 ||
	    frame < unwind->now.value[REGISTER_RSP] ||
	    frame - unwind->now.value[REGISTER_RSP] > MAX_FRAME ||
	    !view_read(&unwind->view, frame, caller, sizeof(caller)) ||
	    !proof_is_return(&unwind->view, caller[1]))
		return STEP_NONE;
	register_learn(&unwind->now, REGISTER_RBP, caller[0]);
	register_learn(&unwind->now, REGISTER_RIP, caller[1]);
	register_learn(&unwind->now, REGISTER_RSP, frame + 16);
	return STEP_GUESS;
}

// The first frame of a thread without tables: the program's entry, or code that calls the thread's
// function and then exits with its result.
static bool is_first_frame(struct unwind *unwind)
{
	enum { ENTRY_SIZE = 64, EXIT_NEAR = 16 };
	static const unsigned char exit_short[] = { 0xb0, 0x3c, 0x0f, 0x05 };
	static const unsigned char exit_long[] = { 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05 };
	uint64_t pc = unwind->now.value[REGISTER_RIP];
	const struct tables *tables = find_tables(unwind, pc);
	unsigned char code[EXIT_NEAR];

	if (tables && tables->entry && pc - tables->entry < ENTRY_SIZE)
		return true;
	return view_is_code(&unwind->view, pc) &&
	       view_read(&unwind->view, pc, code, sizeof(code)) &&
	       (memmem(code, sizeof(code), exit_short, sizeof(exit_short)) ||
		memmem(code, sizeof(code), exit_long, sizeof(exit_long)));
}

// A module that was built without tables, but for what the compiler's own start files bring. Code
// without tables in other modules, or in none, is made by compilers at run time, or like theirs: it
// keeps frame pointers, and seeking a proof among its symbols would take long.
static bool lacks_tables(struct unwind *unwind)
{
	enum { BYTES_PER_ENTRY = 8192 };
	const struct tables *tables = find_tables(unwind, unwind->now.value[REGISTER_RIP] - 1);

	return tables && (tables->end - tables->start) / BYTES_PER_ENTRY >= tables->nr_entries;
}

// From the registers of one frame to its caller's.
static enum step step(struct unwind *unwind, bool is_innermost, bool is_signal_frame)
{
	if (is_signal_frame)
		return step_over_signal(unwind) ? STEP_PROVEN : STEP_NONE;

	enum step how = step_by_table(unwind, is_innermost);

	if (how == STEP_NONE)
		how = step_by_go(unwind, is_innermost);
	if (how == STEP_NONE)
		how = step_by_code(unwind, is_innermost);
	if (how != STEP_NONE)
		return how;
	if (!is_innermost && is_first_frame(unwind))
		return STEP_END;
	if (lacks_tables(unwind) && proof_step(&unwind->view, unwind->symbols, &unwind->now))
		return STEP_PROVEN;
	return step_by_frame_pointer(unwind);
}

static const char *why_no_step(struct unwind *unwind, size_t number)
{
	uint64_t pc = unwind->now.value[REGISTER_RIP];
	unw_proc_info_t info;

	if (!view_is_code(&unwind->view, pc))
		return "its frames lead to where no code is";
	if (!register_is_known(&unwind->now, REGISTER_RBP) &&
	    find_proc_info(unwind->space, number ? pc - 1 : pc, &info, 0, unwind) == 0)
		return "a frame needs a register that is not known";
	return "a frame has no unwind tables";
}

struct dc_error *unwind_walk(struct unwind *unwind, const struct snapshot *snapshot,
			     struct unwound *frames, size_t max, size_t *n, bool *complete)
{
	// Of a frame that a signal interrupted all is known, as of the innermost.
	bool changed, is_exact = true, guessed = false;
	struct dc_error *err = view_begin(&unwind->view, snapshot, &changed);

	*n = 0;
	*complete = false;
	unwind->why = "a frame was found by its frame pointer alone";
	if (err)
		return err;
	if (changed) {
		unw_flush_cache(unwind->space, 0, 0);
		memset(unwind->tabled, 0, sizeof(unwind->tabled));
		memset(unwind->untabled, 0, sizeof(unwind->untabled));
		unwind->tables = (struct tables){ 0 };
	}
	registers_to_dwarf(&snapshot->regs, unwind->now.value);
	unwind->now.known = REGISTERS_ALL;
	registers_keep(&unwind->now, ~snapshot->unknown);
	while (*n < max) {
		struct unwound *frame = &frames[*n];
		uint64_t pc = unwind->now.value[REGISTER_RIP], sp = unwind->now.value[REGISTER_RSP];

		memset(frame, 0, sizeof(*frame));
		frame->is_signal_frame = proof_is_restorer(&unwind->view, pc);
		memcpy(frame->frame.regs, unwind->now.value, sizeof(unwind->now.value));
		// A return address may be the first byte after its function, when that never
		// returns.
		frame->frame.pc = is_exact || frame->is_signal_frame ? pc : pc - 1;
		frame->frame.valid = unwind->now.known;
		++*n;

		enum step how = step(unwind, is_exact, frame->is_signal_frame);

		if (how == STEP_NONE) {
			unwind->why = why_no_step(unwind, *n - 1);
			return NULL;
		}
		if (how == STEP_END) {
			*complete = !guessed;
			return NULL;
		}
		frame->frame.cfa = unwind->now.value[REGISTER_RSP];
		is_exact = frame->is_signal_frame;
		guessed |= frames[*n - 1].is_guess = how == STEP_GUESS;
		if (!is_exact)
			registers_keep(&unwind->now, guessed ? REGISTERS_POINTED : REGISTERS_SAVED);
		if (unwind->now.value[REGISTER_RIP] == 0) {
			*complete = !guessed;
			return NULL;
		}
		// Frames lie one above the other, but for the one that a signal interrupted.
		if (!is_exact && unwind->now.value[REGISTER_RSP] <= sp) {
			unwind->why = "its frames do not lie one above the other";
			return NULL;
		}
	}
	unwind->why = "it is deeper than what is shown";
	return NULL;
}

const char *unwind_why_incomplete(const struct unwind *unwind)
{
	return unwind->why;
}

bool unwind_strayed(const struct unwind *unwind)
{
	return unwind->view.strayed;
}

struct dc_frame *unwind_describe(struct unwind *unwind, const struct snapshot *snapshot, size_t *n)
{
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	bool complete;
	size_t nr_frames = 0;

	*n = 0;
	if (!frames)
		return NULL;

	_cleanup_error_ struct dc_error *err = unwind_walk(unwind, snapshot, frames, UNWIND_MAX,
							   &nr_frames, &complete);

	if (err || !nr_frames)
		return NULL;

	struct dc_frame *described = calloc(nr_frames, sizeof(*described));

	if (!described)
		return NULL;
	for (size_t i = 0; i < nr_frames; i++) {
		uint64_t looked_up = frames[i].frame.pc, pc = frames[i].frame.regs[REGISTER_RIP];

		described[i] = symbols_describe(unwind->symbols, looked_up);
		described[i].offset += pc - looked_up;
		described[i].pc = pc;
	}
	*n = nr_frames;
	return described;
}
