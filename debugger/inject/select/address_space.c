// SPDX-License-Identifier: MIT
// What mappings say about runtimes and stacks.
#include "debugger/inject/select/address_space.h"

#include <string.h>
#include <sys/resource.h>

// A runtime that turns faults into exceptions, barriers or polls.
static bool lives_by_faults(const char *path)
{
	static const char *const runtimes[] = { "/libjvm.so",	   "/libgc.so",
						"/libcoreclr.so",  "/libmonosgen-2.0.so",
						"/libwasmtime.so", "/libart.so" };

	for (size_t i = 0; i < sizeof(runtimes) / sizeof(*runtimes); i++)
		if (strstr(path, runtimes[i]))
			return true;
	return false;
}

struct dc_error *address_space_read(struct process *process, struct address_space *ret)
{
	struct rlimit limit;
	struct dc_error *err = maps_read(process, &ret->maps);

	if (err)
		return err;
	ret->process = process;
	ret->noted = (struct thread_stack){ 0 };
	ret->stack_limit = 8 << 20;
	if (!prlimit(process->pid, RLIMIT_STACK, NULL, &limit))
		ret->stack_limit = limit.rlim_cur;
	ret->handles_faults = false;
	ret->fatal_start = ret->fatal_end = 0;
	for (size_t i = 0; i < ret->maps.n; i++) {
		const struct mapping *mapping = &ret->maps.map[i];

		ret->handles_faults |= lives_by_faults(mapping->path);
		// A JVM's exceptions come from the code that it compiles.
		if (mapping->executable && strstr(mapping->path, "/libjvm.so")) {
			ret->fatal_start = mapping->start;
			ret->fatal_end = mapping->end;
		}
	}
	return NULL;
}

void address_space_deinit(struct address_space *space)
{
	maps_deinit(&space->maps);
}

struct thread_stack address_space_stack(const struct address_space *space,
					const struct user_regs_struct *regs)
{
	return thread_stack_at(space->process, &space->maps, &space->noted,
			       registers_thread_pointer(regs), registers_sp(regs),
			       space->stack_limit);
}
