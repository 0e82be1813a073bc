// SPDX-License-Identifier: MIT
// Reading and writing another process: what it may not read itself, holes, growth of the stack,
// death.
#include "debugger/target/memory.h"

#include <stdarg.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { PAGE = 4096 };

// A child with four pages: rw-, ---, r--, none; and where they are, for both.
struct child {
	pid_t pid;
	struct process *process;
	unsigned char *pages;
};

static int start(void **state)
{
	static struct child child;

	child.pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	memset(child.pages, 'a', 3 * PAGE);
	mprotect(child.pages + PAGE, PAGE, PROT_NONE);
	mprotect(child.pages + 2 * PAGE, PAGE, PROT_READ);
	munmap(child.pages + 3 * PAGE, PAGE);
	child.pid = fork();
	if (!child.pid)
		for (;;)
			pause();
	*state = &child;
	return process_open(child.pid, &child.process) ? -1 : 0;
}

static int stop(void **state)
{
	struct child *child = *state;

	process_close(child->process);
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	munmap(child->pages, 3 * PAGE);
	return 0;
}

static void reads_up_to_a_hole(void **state)
{
	struct child *child = *state;
	static unsigned char buf[4 * PAGE];
	uint64_t addr = (uintptr_t)child->pages;

	// The page that the child itself may not read is no hole.
	assert_int_equal(memory_read_some(child->process, addr + 1, buf, sizeof(buf)),
			 3 * PAGE - 1);
	for (int i = 0; i < 3 * PAGE - 1; i++)
		assert_int_equal(buf[i], 'a');
	assert_int_equal(memory_read_some(child->process, addr + 3 * PAGE, buf, 1), 0);
	assert_int_equal(memory_read_some(child->process, 0, buf, 8), 0);
	assert_int_equal(memory_read_some(child->process, UINT64_MAX - 3, buf, 8), 0);

	struct dc_error *err = memory_read(child->process, addr, buf, 4 * PAGE);
	char place[32];

	assert_non_null(err);
	assert_int_equal(err->code, DC_VALUE);
	snprintf(place, sizeof(place), "0x%lx", addr + 3 * PAGE);
	assert_non_null(strstr(err->message, place));
	dc_error_destroy(err);
	assert_null(memory_read(child->process, addr, buf, 0));
}

static void writes_where_the_child_may_not(void **state)
{
	struct child *child = *state;
	unsigned char buf[4];
	uint64_t addr = (uintptr_t)child->pages;

	// Across the border of two pages, neither of them writable.
	assert_null(memory_write(child->process, addr + 2 * PAGE - 2, "wxyz", 4));
	assert_null(memory_read(child->process, addr + 2 * PAGE - 2, buf, 4));
	assert_memory_equal(buf, "wxyz", 4);
	// Private: ours has not changed.
	assert_int_equal(child->pages[2 * PAGE], 'a');

	struct dc_error *err = memory_write(child->process, addr + 3 * PAGE - 2, "wxyz", 4);

	assert_non_null(err);
	assert_int_equal(err->code, DC_VALUE);
	dc_error_destroy(err);
}

static void grows_the_stack(void **state)
{
	struct child *child = *state;
	struct thread_info info;
	unsigned char buf[4];

	assert_null(process_thread_info(child->process, child->pid, &info));
	while (!info.in_syscall)
		assert_null(process_thread_info(child->process, child->pid, &info));

	uint64_t below = info.sp - 400 * 1024;

	assert_int_equal(process_vm_readv(child->pid, &(struct iovec){ buf, 4 }, 1,
					  &(struct iovec){ (void *)below, 4 }, 1, 0),
			 -1);
	assert_null(memory_write(child->process, below, "wxyz", 4));
	assert_null(memory_read(child->process, below, buf, 4));
	assert_memory_equal(buf, "wxyz", 4);
}

static void says_that_it_has_ended(void **state)
{
	struct child *child = *state;
	unsigned char buf[4];
	uint64_t addr = (uintptr_t)child->pages;

	assert_null(memory_read(child->process, addr, buf, 4));
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);

	struct dc_error *read_error = memory_read(child->process, addr, buf, 4);
	struct dc_error *write_error = memory_write(child->process, addr, buf, 4);

	assert_int_equal(read_error->code, DC_TARGET_ENDED);
	assert_int_equal(write_error->code, DC_TARGET_ENDED);
	assert_int_equal(read_error->state, DC_STATE_ENDED);
	dc_error_destroy(read_error);
	dc_error_destroy(write_error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_up_to_a_hole, start, stop),
		cmocka_unit_test_setup_teardown(writes_where_the_child_may_not, start, stop),
		cmocka_unit_test_setup_teardown(grows_the_stack, start, stop),
		cmocka_unit_test_setup_teardown(says_that_it_has_ended, start, stop),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
