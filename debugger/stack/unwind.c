// SPDX-License-Identifier: MIT
// Frames of a thread, by libunwind over a snapshot. Where there are no tables (musl, hand-written
// code, sigreturn by any restorer) a step is proven from the instructions, or the walk ends.
#include "debugger/stack/unwind.h"

#include "debugger/base/cleanup.h"
#include "debugger/arch/x86_64/prologue.h"
#include "debugger/arch/x86_64/registers.h"
#include "debugger/stack/tables.h"
#include "debugger/stack/view.h"

#include <libunwind-x86_64.h>
#include <string.h>
#include <sys/ucontext.h>

// Exported by libunwind-x86_64, which looks through a table in another process with it.
int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *info,
				       unw_proc_info_t *ret, int need_unwind_info, void *arg);

enum { ALL_KNOWN = (1 << REGISTERS_DWARF) - 1 };
enum {
	FRAME_POINTED = 1 << REGISTER_RBP | 1 << REGISTER_RSP | 1 << REGISTER_RIP,
	CALLEE_SAVED = 1 << REGISTER_RBX | 1 << REGISTER_RBP | 1 << REGISTER_RSP |
		       0xf << REGISTER_R12 | 1 << REGISTER_RIP,
};

enum { TABLED = 1024 };

struct unwind {
	struct symbols *symbols;
	struct view view;
	unw_addr_space_t space;
	uint64_t regs[REGISTERS_DWARF]; // of the frame that a step starts from, by DWARF number
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
	if (write || reg < 0 || reg >= REGISTERS_DWARF)
		return -UNW_EBADREG;
	*value = unwind->regs[reg];
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

// Restorers end in `mov $15, %eax or %rax; syscall`. They are entered by a return, so REGISTER_RSP points to
// the signal frame's ucontext. Way-home frames look the same.
static bool is_restorer(struct unwind *unwind, uint64_t pc)
{
	static const unsigned char long_form[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	static const unsigned char short_form[] = { 0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	unsigned char code[sizeof(long_form)];

	if (!view_is_code(&unwind->view, pc))
		return false;
	return (view_read(&unwind->view, pc, code, sizeof(long_form)) &&
		!memcmp(code, long_form, sizeof(long_form))) ||
	       (view_read(&unwind->view, pc, code, sizeof(short_form)) &&
		!memcmp(code, short_form, sizeof(short_form)));
}

static bool step_over_signal(struct unwind *unwind)
{
	static const unsigned char order[REGISTERS_DWARF] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
		REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
	};
	gregset_t saved;

	if (!view_read(&unwind->view,
		       unwind->regs[REGISTER_RSP] + offsetof(ucontext_t, uc_mcontext.gregs), saved,
		       sizeof(saved)))
		return false;
	for (int i = 0; i < REGISTERS_DWARF; i++)
		unwind->regs[i] = (uint64_t)saved[order[i]];
	return true;
}

static enum step step_by_table(struct unwind *unwind, bool is_innermost)
{
	uint64_t regs[REGISTERS_DWARF], pc = unwind->regs[REGISTER_RIP],
					looked_up = is_innermost ? pc : pc - 1;
	uint64_t *tabled = &unwind->tabled[looked_up % TABLED];
	unw_cursor_t cursor;
	unw_proc_info_t info;
	int more = -UNW_ENOINFO;

	// A return address may lie behind its function, or in the row after: its call is what
	// counts.
	unwind->regs[REGISTER_RIP] = looked_up;
	// Asked for first, because without tables unw_step() would guess.
	if (*tabled != looked_up && find_proc_info(unwind->space, looked_up, &info, 0, unwind) == 0)
		*tabled = looked_up;
	if (*tabled == looked_up && unw_init_remote(&cursor, unwind->space, unwind) == 0)
		more = unw_step(&cursor);
	for (int i = 0; more > 0 && i < REGISTERS_DWARF; i++) {
		unw_word_t value;

		regs[i] = unw_get_reg(&cursor, i, &value) == 0 ? value : unwind->regs[i];
	}
	unwind->regs[REGISTER_RIP] = pc;
	if (more > 0)
		memcpy(unwind->regs, regs, sizeof(regs));
	return more > 0 ? STEP_TABLE : more == 0 ? STEP_END : STEP_NONE;
}

// Where the call before a return address leads; 0: not to be seen, or no call.
static uint64_t call_target(struct unwind *unwind, uint64_t back, bool *is_call)
{
	unsigned char code[7];
	int32_t distance;
	uint64_t slot, target = 0;

	*is_call = false;
	if (!view_is_code(&unwind->view, back - 1) ||
	    !view_read(&unwind->view, back - sizeof(code), code, sizeof(code)))
		return 0;
	memcpy(&distance, code + 3, sizeof(distance));
	if (code[2] == 0xe8) { // call rel32
		*is_call = true;
		target = back + (uint64_t)(int64_t)distance;
	} else if (code[1] == 0xff && code[2] == 0x15) { // call *rel32(%rip)
		*is_call = true;
		view_read_word(&unwind->view, back + (uint64_t)(int64_t)distance, &target);
		return target;
	} else { // call *register, call *memory
		*is_call = (code[5] == 0xff && (code[6] & 0x38) == 0x10) ||
			   (code[4] == 0xff && (code[5] & 0x38) == 0x10) ||
			   (code[1] == 0xff && (code[2] & 0x38) == 0x10) ||
			   (code[0] == 0xff && (code[1] & 0x38) == 0x10);
		return 0;
	}
	// Through the procedure linkage table: [endbr64] [bnd] jmp *rel32(%rip).
	for (int i = 0; i < 2; i++) {
		static const unsigned char endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
		unsigned char stub[11];

		if (!view_read(&unwind->view, target, stub, sizeof(stub)))
			break;

		size_t at = memcmp(stub, endbr64, 4) ? 0 : 4;

		at += stub[at] == 0xf2;
		if (stub[at] == 0xff && stub[at + 1] == 0x25) {
			memcpy(&distance, stub + at + 2, sizeof(distance));
			slot = target + at + 6 + (uint64_t)(int64_t)distance;
			if (!view_read_word(&unwind->view, slot, &target))
				return 0;
		} else if (stub[at] == 0xe9) { // jmp rel32: a name that is another's
			memcpy(&distance, stub + at + 1, sizeof(distance));
			target += at + 5 + (uint64_t)(int64_t)distance;
		} else {
			break;
		}
	}
	return target;
}

// Applies what the instructions from start to pc did. false: not certain.
static bool follow_code(struct unwind *unwind, uint64_t start, uint64_t regs[REGISTERS_DWARF])
{
	enum { BEYOND = 16 }; // pc's own instruction
	uint64_t pc = regs[REGISTER_RIP];
	struct prologue prologue;

	if (start > pc || pc - start > PROLOGUE_REACH)
		return false;

	size_t n = pc - start + BEYOND;
	_cleanup_free_ unsigned char *code = malloc(n);

	if (!code || !view_read(&unwind->view, start, code, n) ||
	    !prologue_follow(code, n, start, pc, &prologue))
		return false;

	uint64_t cfa = (prologue.by_rbp ? regs[REGISTER_RBP] : regs[REGISTER_RSP]) +
		       (uint64_t)prologue.offset;

	if (cfa <= regs[REGISTER_RSP] ||
	    !view_read_word(&unwind->view, cfa - 8, &regs[REGISTER_RIP]))
		return false;
	for (int i = 0; i < REGISTERS_DWARF; i++)
		if (prologue.saved[i] &&
		    !view_read_word(&unwind->view, cfa - (uint64_t)prologue.saved[i], &regs[i]))
			return false;
	regs[REGISTER_RSP] = cfa;
	return true;
}

// A return address proves itself: the call before it leads to a start from which the pc is reached
// at just that depth of the stack.
static enum step step_by_proof(struct unwind *unwind)
{
	enum { WORDS = 512 };
	uint64_t regs[REGISTERS_DWARF], pc = unwind->regs[REGISTER_RIP], offset;
	const char *name;
	bool is_call;

	if (!view_is_code(&unwind->view, pc))
		return STEP_NONE;
	memcpy(regs, unwind->regs, sizeof(regs));
	if (symbols_name_of(unwind->symbols, pc, &name, &offset) &&
	    follow_code(unwind, pc - offset, regs)) {
		call_target(unwind, regs[REGISTER_RIP], &is_call);
		// A signal handler returns into a restorer that nothing called.
		if (is_call || is_restorer(unwind, regs[REGISTER_RIP])) {
			memcpy(unwind->regs, regs, sizeof(regs));
			return STEP_PROVEN;
		}
	}
	for (uint64_t i = 0; i < WORDS; i++) {
		uint64_t place = unwind->regs[REGISTER_RSP] + i * 8, back;

		if (!view_read_word(&unwind->view, place, &back))
			break;
		if (!view_is_code(&unwind->view, back))
			continue;

		uint64_t start = call_target(unwind, back, &is_call);

		if (!start || start > pc || pc - start > PROLOGUE_REACH)
			continue;
		memcpy(regs, unwind->regs, sizeof(regs));
		if (follow_code(unwind, start, regs) && regs[REGISTER_RSP] == place + 8) {
			memcpy(unwind->regs, regs, sizeof(regs));
			return STEP_PROVEN;
		}
	}
	return STEP_NONE;
}

// Code without tables that keeps frame pointers, as compilers at run time do.
static enum step step_by_frame_pointer(struct unwind *unwind)
{
	enum { MAX_FRAME = 1 << 20 };
	uint64_t frame = unwind->regs[REGISTER_RBP], caller[2];
	bool is_call;

	if (frame % 8 || frame < unwind->regs[REGISTER_RSP] ||
	    frame - unwind->regs[REGISTER_RSP] > MAX_FRAME ||
	    !view_read(&unwind->view, frame, caller, sizeof(caller)))
		return STEP_NONE;
	call_target(unwind, caller[1], &is_call);
	if (!is_call)
		return STEP_NONE;
	unwind->regs[REGISTER_RBP] = caller[0];
	unwind->regs[REGISTER_RIP] = caller[1];
	unwind->regs[REGISTER_RSP] = frame + 16;
	return STEP_GUESS;
}

// The first frame of a thread without tables: the program's entry, or code that calls the thread's
// function and then exits with its result.
static bool is_first_frame(struct unwind *unwind)
{
	enum { ENTRY_SIZE = 64, EXIT_NEAR = 16 };
	static const unsigned char exit_short[] = { 0xb0, 0x3c, 0x0f, 0x05 };
	static const unsigned char exit_long[] = { 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05 };
	uint64_t pc = unwind->regs[REGISTER_RIP];
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
	const struct tables *tables = find_tables(unwind, unwind->regs[REGISTER_RIP] - 1);

	return tables && (tables->end - tables->start) / BYTES_PER_ENTRY >= tables->nr_entries;
}

// From the registers of one frame to its caller's.
static enum step step(struct unwind *unwind, bool is_innermost, bool is_signal_frame)
{
	if (is_signal_frame)
		return step_over_signal(unwind) ? STEP_PROVEN : STEP_NONE;

	enum step how = step_by_table(unwind, is_innermost);

	if (how != STEP_NONE)
		return how;
	if (!is_innermost && is_first_frame(unwind))
		return STEP_END;
	if (lacks_tables(unwind))
		how = step_by_proof(unwind);
	return how == STEP_NONE ? step_by_frame_pointer(unwind) : how;
}

struct dc_error *unwind_walk(struct unwind *unwind, const struct snapshot *snapshot,
			     struct unwound *frames, size_t max, size_t *n, bool *complete)
{
	// Of the innermost frame, and of one that a signal interrupted, all is known.
	bool changed, is_exact = true, guessed = false;
	uint32_t known = ALL_KNOWN;
	struct dc_error *err = view_begin(&unwind->view, snapshot, &changed);

	*n = 0;
	*complete = false;
	if (err)
		return err;
	if (changed) {
		unw_flush_cache(unwind->space, 0, 0);
		memset(unwind->tabled, 0, sizeof(unwind->tabled));
		memset(unwind->untabled, 0, sizeof(unwind->untabled));
		unwind->tables = (struct tables){ 0 };
	}
	registers_to_dwarf(&snapshot->regs, unwind->regs);
	while (*n < max) {
		struct unwound *frame = &frames[*n];
		uint64_t pc = unwind->regs[REGISTER_RIP], sp = unwind->regs[REGISTER_RSP];

		memset(frame, 0, sizeof(*frame));
		frame->is_signal_frame = is_restorer(unwind, pc);
		memcpy(frame->frame.regs, unwind->regs, sizeof(unwind->regs));
		// A return address may be the first byte after its function, when that never
		// returns.
		frame->frame.pc = is_exact || frame->is_signal_frame ? pc : pc - 1;
		frame->frame.valid = known;
		++*n;

		enum step how = step(unwind, is_exact, frame->is_signal_frame);

		if (how == STEP_END)
			*complete = !guessed;
		if (how == STEP_END || how == STEP_NONE)
			return NULL;
		frame->frame.cfa = unwind->regs[REGISTER_RSP];
		is_exact = frame->is_signal_frame;
		guessed |= how == STEP_GUESS;
		known = is_exact ? ALL_KNOWN : guessed ? FRAME_POINTED : known & CALLEE_SAVED;
		if (unwind->regs[REGISTER_RIP] == 0) {
			*complete = !guessed;
			return NULL;
		}
		// Frames lie one above the other, but for the one that a signal interrupted.
		if (!is_exact && unwind->regs[REGISTER_RSP] <= sp)
			return NULL;
	}
	return NULL;
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
