// SPDX-License-Identifier: MIT
// Follows a callee's code, never run, through direct calls and through bound entries of the GOT.
#include "debugger/inject/safepoint/callee_reach.h"
#include "debugger/inject/safepoint/unsafe_names.h"
#include "debugger/target/memory.h"

#include <capstone/capstone.h>
#include <string.h>

// Enough for small helpers, which is what is asked of a program that waits for a line of input.
enum { MAX_FUNCTIONS = 64, MAX_CODE = 4096 };

// Functions of libc that lock no FILE, whatever their arguments.
// clang-format off
static const char *const leaves[] = {
	"strlen", "strnlen", "strcmp", "strncmp", "strcasecmp", "strncasecmp", "strchr",
	"strrchr", "strstr", "strcpy", "strncpy", "strcat", "strncat", "strdup", "strndup",
	"strspn", "strcspn", "strpbrk", "memcpy", "memmove", "memset", "memcmp", "memchr",
	"memmem", "bcmp", "bzero", "wcslen", "malloc", "calloc", "realloc", "free",
	"malloc_trim", "malloc_usable_size", "mallopt", "mallinfo", "mallinfo2", "getpid",
	"getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getpgrp", "getpgid",
	"getsid", "getenv", "secure_getenv", "abs", "labs", "llabs", "atoi", "atol", "atoll",
	"atof", "strtol", "strtoul", "strtoll", "strtoull", "strtod", "strtof", "toupper",
	"tolower", "isalpha", "isdigit", "isspace", "isupper", "islower", "time", "clock",
	"gettimeofday", "clock_gettime", "sysconf", "getpagesize", "kill", "raise",
	"sched_yield", "open", "close", "read", "write", "lseek", "stat", "fstat", "access",
	"unlink", "chdir", "dup", "dup2", "isatty", "umask", "getrlimit", "setrlimit",
	"getrusage", "sin", "cos", "tan", "exp", "log", "log10", "pow", "sqrt", "floor", "ceil",
	"fabs", "fmod",
};
// clang-format on
enum { NR_LEAVES = sizeof(leaves) / sizeof(*leaves) };

struct walk {
	struct process *process;
	struct symbols *symbols;
	uint64_t runtime_start, runtime_end;
	csh handle;
	cs_insn *insn;
	uint64_t functions[MAX_FUNCTIONS]; // seen; those from next on are still to be followed
	size_t n, next;
	// What the program's calls of those leaves are bound to that choose their code at run time.
	uint64_t bound[NR_LEAVES];
	bool bound_read;
};

static bool is_libc(struct walk *walk, uint64_t addr)
{
	const char *module = symbols_describe(walk->symbols, addr).module;

	return module && (unsafe_names_libc_module(module) || !strncmp(module, "libm", 4));
}

static void read_bound(struct walk *walk)
{
	for (size_t i = 0; i < NR_LEAVES; i++) {
		struct function function;

		if (symbols_named_function(walk->symbols, leaves[i], &function) &&
		    function.is_ifunc)
			walk->bound[i] = symbols_bound_ifunc(walk->symbols, &function);
	}
	walk->bound_read = true;
}

static bool is_leaf(struct walk *walk, uint64_t addr)
{
	const char *name;
	uint64_t offset;

	// The program may have a function of its own by such a name.
	if (!is_libc(walk, addr))
		return false;
	bool is_named = symbols_name_of(walk->symbols, addr, &name, &offset) && !offset;
	for (size_t i = 0; is_named && i < NR_LEAVES; i++) {
		if (!strcmp(leaves[i], name))
			return true;
	}
	// The variants for one processor or another have no names in a stripped libc.
	if (!walk->bound_read)
		read_bound(walk);
	for (size_t i = 0; i < NR_LEAVES; i++) {
		if (walk->bound[i] == addr)
			return true;
	}
	return false;
}

// One more function to follow, unless it is known or a leaf. False: there are too many, or it is
// one that must not be reached.
static bool add(struct walk *walk, uint64_t addr)
{
	if (addr >= walk->runtime_start && addr < walk->runtime_end)
		return false;
	for (size_t i = 0; i < walk->n; i++) {
		if (walk->functions[i] == addr)
			return true;
	}
	if (is_leaf(walk, addr))
		return true;
	if (walk->n == MAX_FUNCTIONS)
		return false;
	walk->functions[walk->n++] = addr;
	return true;
}

// Where a call or jump goes: to a constant, or to what a slot of the GOT holds; 0: cannot be told.
static uint64_t destination(struct walk *walk, const cs_insn *insn)
{
	const cs_x86_op *to = &insn->detail->x86.operands[0];
	uint64_t addr;

	if (insn->detail->x86.op_count != 1)
		return 0;
	if (to->type == X86_OP_IMM)
		return (uint64_t)to->imm;
	if (to->type != X86_OP_MEM || to->mem.base != X86_REG_RIP || to->mem.index)
		return 0;
	uint64_t slot = insn->address + insn->size + (uint64_t)to->mem.disp;
	return memory_read_some(walk->process, slot, &addr, sizeof(addr)) == sizeof(addr) ? addr
											  : 0;
}

static bool follow(struct walk *walk, uint64_t start)
{
	unsigned char code[MAX_CODE];
	size_t n = memory_read_some(walk->process, start, code, sizeof(code));
	const uint8_t *bytes = code;
	uint64_t at = start, reach = start; // the furthest place that a jump within goes to

	while (cs_disasm_iter(walk->handle, &bytes, &n, &at, walk->insn)) {
		const cs_insn *insn = walk->insn;
		bool is_call = cs_insn_group(walk->handle, insn, CS_GRP_CALL);
		bool is_jump = cs_insn_group(walk->handle, insn, CS_GRP_JUMP);

		if (is_call || is_jump) {
			uint64_t to = destination(walk, insn);
			bool is_within = is_jump && to >= start && to < start + MAX_CODE &&
					 insn->detail->x86.operands[0].type == X86_OP_IMM;

			if (!to || (!is_within && !add(walk, to)))
				return false;
			if (is_within && to > reach)
				reach = to;
		}
		// Behind the last return lies another function.
		if ((insn->id == X86_INS_JMP || insn->id == X86_INS_UD2 ||
		     insn->id == X86_INS_HLT || cs_insn_group(walk->handle, insn, CS_GRP_RET)) &&
		    at > reach)
			return true;
	}
	// Too long, or no code.
	return false;
}

bool callee_avoids_stdio(struct process *process, struct symbols *symbols, uint64_t runtime_start,
			 uint64_t runtime_end, uint64_t addr)
{
	struct walk walk = { .process = process,
			     .symbols = symbols,
			     .runtime_start = runtime_start,
			     .runtime_end = runtime_end };
	bool avoids = false;

	if (is_leaf(&walk, addr))
		return true;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &walk.handle) != CS_ERR_OK)
		return false;
	cs_option(walk.handle, CS_OPT_DETAIL, CS_OPT_ON);
	walk.insn = cs_malloc(walk.handle);
	if (walk.insn) {
		avoids = add(&walk, addr);
		while (avoids && walk.next < walk.n)
			avoids = follow(&walk, walk.functions[walk.next++]);
		cs_free(walk.insn, 1);
	}
	cs_close(&walk.handle);
	return avoids;
}
