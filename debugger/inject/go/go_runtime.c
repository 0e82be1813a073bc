// SPDX-License-Identifier: MIT
// Where a program's Go runtime has what the pad and the debugger touch: every place is found in the
// program and looked at, none is taken for granted.
#include "debugger/inject/go/go.h"

#include "debugger/symbols/go.h"
#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <signal.h>
#include <string.h>

// ---- functions ------------------------------------------------------------------------------------

struct names {
	struct go_range check, panicked, wrap, dispatch, park;
	uint64_t is_safe, lock, unlock, inject;
};

static void widen(struct go_range *range, uint64_t start, uint64_t end)
{
	if (!range->start || start < range->start)
		range->start = start;
	if (end > range->end)
		range->end = end;
}

static bool begins(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static void take(const char *name, uint64_t addr, uint64_t size, void *arg)
{
	struct names *names = arg;
	const struct {
		const char *name;
		uint64_t *addr;
	} singles[] = {
		{ "runtime.lock2", &names->lock },
		{ "runtime.unlock2", &names->unlock },
		{ "runtime.injectglist", &names->inject },
		{ "runtime.isAsyncSafePoint", &names->is_safe },
	};

	if (begins(name, "debugCall") && strspn(name + 9, "0123456789") == strlen(name + 9)) {
		widen(&names->dispatch, addr, addr + size);
		return;
	}
	if (!begins(name, "runtime."))
		return;
	for (size_t i = 0; i < sizeof(singles) / sizeof(*singles); i++)
		if (!strcmp(name, singles[i].name))
			*singles[i].addr = addr;
	if (!strcmp(name, "runtime.debugCallV2"))
		widen(&names->check, addr, addr + size);
	if (!strcmp(name, "runtime.gopark"))
		widen(&names->park, addr, addr + size);
	if (!strcmp(name, "runtime.debugCallWrap1"))
		widen(&names->wrap, addr, addr + size);
	if (!strcmp(name, "runtime.debugCallPanicked") ||
	    !strcmp(name, "runtime.debugCallPanicked.abi0"))
		widen(&names->panicked, addr, addr + size);
}

static struct dc_error *unknown(const struct process *process, const char *what)
{
	return error_make(DC_REFUSED, "the Go runtime of process %d (%s) is not known: %s",
			  process->pid, process->name, what);
}

static struct dc_error *find_names(struct process *process, struct symbols *symbols,
				   const struct go_layout *layout, struct names *ret)
{
	*ret = (struct names){ 0 };
	symbols_go_each(symbols, take, ret);
	if (!ret->check.start)
		return unknown(process, "it has no debugCallV2, which came with Go 1.17");
	if (!layout->hook)
		return unknown(process, "its handler of SIGTRAP has no testSigtrap");
	if (!ret->panicked.start || !ret->wrap.start || !ret->dispatch.start || !ret->lock ||
	    !ret->unlock || !ret->inject || !layout->sweep || !ret->park.start || !ret->is_safe)
		return unknown(process, "a function or variable of it is missing");
	return NULL;
}

// ---- code ---------------------------------------------------------------------------------------

static const unsigned char *find(const unsigned char *code, size_t n, const void *bytes,
				 size_t size)
{
	return memmem(code, n, bytes, size);
}

// A status in R12, and the instruction that asks for the debugger.
static bool says(const unsigned char *code, size_t n, unsigned char status)
{
	const unsigned char old[] = { 0x49, 0xc7, 0xc4, status, 0, 0, 0, 0xcc };
	const unsigned char now[] = { 0x41, 0xbc, status, 0, 0, 0, 0xcc };

	return find(code, n, old, sizeof(old)) || find(code, n, now, sizeof(now));
}

// The registers lie where the pad will look for them, the two statuses are said, and where the check
// is passed.
static struct dc_error *look_at_entry(struct process *process, struct go_places *places)
{
	static const unsigned char saves[] = {
		0x4c, 0x89, 0x7c, 0x24, 0x20, 0x4c, 0x89, 0x74, 0x24, 0x28, // r15, r14
		0x4c, 0x89, 0x6c, 0x24, 0x30, 0x4c, 0x89, 0x64, 0x24, 0x38, // r13, r12
		0x4c, 0x89, 0x5c, 0x24, 0x40, 0x4c, 0x89, 0x54, 0x24, 0x48, // r11, r10
		0x4c, 0x89, 0x4c, 0x24, 0x50, 0x4c, 0x89, 0x44, 0x24, 0x58, // r9, r8
		0x48, 0x89, 0x7c, 0x24, 0x60, 0x48, 0x89, 0x74, 0x24, 0x68, // rdi, rsi
		0x48, 0x89, 0x6c, 0x24, 0x70, 0x48, 0x89, 0x5c, 0x24, 0x78, // rbp, rbx
		0x48, 0x89, 0x94, 0x24, 0x80, 0x00, 0x00, 0x00, // rdx
	};
	// sub $0xa0,%rsp; or push %rbp; mov %rsp,%rbp; sub $0x98,%rsp
	static const unsigned char frame_old[] = { 0x48, 0x81, 0xec, 0xa0, 0x00, 0x00, 0x00 };
	static const unsigned char frame_new[] = { 0x55, 0x48, 0x89, 0xe5, 0x48, 0x81,
						   0xec, 0x98, 0x00, 0x00, 0x00 };
	static const unsigned char passed[] = { 0x48, 0x85, 0xc0, 0x74 }; // test %rax,%rax; je
	unsigned char code[1024];
	size_t size = places->entry.end - places->entry.start;
	const unsigned char *test;

	if (size > sizeof(code) ||
	    memory_read_some(process, places->entry.start, code, size) != size)
		return unknown(process, "its debugCallV2 cannot be read");
	test = find(code, size, passed, sizeof(passed));
	if ((memcmp(code, frame_old, sizeof(frame_old)) != 0 &&
	     memcmp(code, frame_new, sizeof(frame_new)) != 0) ||
	    !find(code, size, saves, sizeof(saves)) || !says(code, size, 8) ||
	    !says(code, size, 16) || !test || test + sizeof(passed) >= code + size)
		return unknown(process, "its debugCallV2 is another than that of Go 1.19 to 1.27");
	places->checked = places->entry.start + (uint64_t)(test - code) + sizeof(passed) + 1 +
			  test[sizeof(passed)];
	return NULL;
}

// A runtime that is a library's leaves SIGTRAP to the program.
static struct dc_error *look_at_handler(struct process *process)
{
	struct thread_info info;
	struct dc_error *err = process_thread_info(process, process->pid, &info);

	if (err || info.sig_caught & SIGNAL_BIT(SIGTRAP))
		return err;
	return unknown(process, "it does not handle SIGTRAP in this program");
}

struct dc_error *go_runtime_find(struct process *process, struct symbols *symbols,
				 struct go_runtime *ret, bool *found)
{
	enum { FIRST_TO_KNOW_LOCKS = 22 };
	const struct go_offsets *at = &ret->layout.at;
	struct names names;
	struct dc_error *err;
	uint64_t end;

	*ret = (struct go_runtime){ 0 };
	*found = false;
	if (!symbols)
		return NULL;
	err = symbols_go_layout(symbols, &ret->layout, found);
	if (err || !*found)
		return err;
	err = find_names(process, symbols, &ret->layout, &names);
	if (err)
		return err;
	ret->places = (struct go_places){
		.hook = ret->layout.hook,
		.entry = names.check,
		.panicked = names.panicked,
		.dispatch = names.dispatch,
		.wrap = names.wrap,
		.park = names.park,
		.is_safe = names.is_safe,
		.lock = names.lock,
		.unlock = names.unlock,
		.inject = names.inject,
		.sweep = ret->layout.sweep + at->sweep.lock,
		.sweep_g = ret->layout.sweep + at->sweep.g,
		.sweep_parked = ret->layout.sweep + at->sweep.parked,
		.g_panic = at->g.panic,
		.g_defer = at->g.defer,
		.g_status = at->g.status,
		.g_async = at->g.async,
		// Older debug calls do not know that their caller may be bound to its thread, as all
		// are that a thread of C's has called, and end the program.
		.g_locked = symbols_go_minor(symbols) >= FIRST_TO_KNOW_LOCKS ? 0 : at->g.locked_m,
		.g_link = at->g.link,
		.g_sp = at->g.sched + at->saved.sp,
		.g_pc = at->g.sched + at->saved.pc,
		.g_bp = at->g.sched + at->saved.bp,
	};
	symbols_go_types(symbols, &ret->types, &end);
	err = look_at_entry(process, &ret->places);
	return err ? err : look_at_handler(process);
}
