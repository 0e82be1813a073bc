// SPDX-License-Identifier: MIT
// Interpreters hold their heap and their frames half-changed between two points that only they
// know; a collector that is called there finds pointers that lead nowhere.
#include "debugger/inject/safepoint/language_runtime.h"

#include "debugger/arch/x86_64/restart.h"
#include "debugger/target/waits.h"

#include <errno.h>
#include <string.h>

bool language_runtime_is_module(const struct module *module)
{
	static const char *const names[] = { "libruby",	   "ruby",     "libpython", "python",
					     "libjvm",	   "libnode",  "node",	    "libv8",
					     "libperl",	   "perl",     "libphp",    "php",
					     "liblua",	   "lua",      "luajit",    "libmono",
					     "libcoreclr", "libmozjs", "libguile" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		// "python3.11" and "libruby-3.1.so.3.1", but not "node_exporter".
		if (!strncmp(module->name, names[i], n) &&
		    (!module->name[n] || strchr("0123456789.-", module->name[n])))
			return true;
	}
	return false;
}

bool language_runtime_waits(const struct user_regs_struct *regs)
{
	bool was_interrupted = restart_is_pending(regs) || registers_result(regs) == -EINTR;

	return was_interrupted && waits_of(registers_syscall(regs)) & WAIT_AT_REST;
}

static bool is_code_of(const struct module *module, const struct maps *maps, uint64_t addr)
{
	const struct mapping *mapping = addr - module->start < module->end - module->start
						? maps_find(maps, addr)
						: NULL;

	return mapping && mapping->executable;
}

bool language_runtime_is_inside(const struct module *module, const struct maps *maps,
				const struct snapshot *snapshot)
{
	uint64_t skipped = registers_sp(&snapshot->regs) > snapshot->stack_start
				   ? registers_sp(&snapshot->regs) - snapshot->stack_start
				   : 0;
	uint64_t word;

	if (is_code_of(module, maps, registers_pc(&snapshot->regs)))
		return true;
	for (size_t at = (skipped + 7) & ~UINT64_C(7); at + sizeof(word) <= snapshot->stack_size;
	     at += sizeof(word)) {
		memcpy(&word, snapshot->stack + at, sizeof(word));
		if (is_code_of(module, maps, word))
			return true;
	}
	return false;
}
