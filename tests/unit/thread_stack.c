// SPDX-License-Identifier: MIT
// The stacks of this program's own threads, as its libc noted them and as pthread_getattr_np says.
#include "debugger/target/thread_stack.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

struct thread {
	pthread_t id;
	pthread_barrier_t *barrier;
	pid_t tid;
	uint64_t sp;
};

static void *wait_there(void *arg)
{
	struct thread *thread = arg;

	thread->tid = gettid();
	thread->sp = (uint64_t)(uintptr_t)__builtin_frame_address(0);
	pthread_barrier_wait(thread->barrier);
	pthread_barrier_wait(thread->barrier);
	return NULL;
}

static struct process *process;
static struct maps maps;

static struct thread begin(const pthread_attr_t *attr, pthread_barrier_t *barrier)
{
	static struct thread thread;

	pthread_barrier_init(barrier, NULL, 2);
	thread = (struct thread){ .barrier = barrier };
	assert_int_equal(0, pthread_create(&thread.id, attr, wait_there, &thread));
	pthread_barrier_wait(barrier);
	assert_null(process_open(getpid(), &process));
	assert_null(maps_read(process, &maps));
	return thread;
}

static void end(struct thread *thread)
{
	pthread_barrier_wait(thread->barrier);
	pthread_join(thread->id, NULL);
	pthread_barrier_destroy(thread->barrier);
	maps_deinit(&maps);
	process_close(process);
}

// Found without a stop, and the same as the thread itself would say.
static void check(const pthread_attr_t *attr)
{
	pthread_barrier_t barrier;
	struct thread thread = begin(attr, &barrier);
	struct thread_stack noted, stack;
	pthread_attr_t real;
	void *low;
	size_t size, guard;

	assert_int_equal((uint64_t)thread.id, thread_stack_pointer(process, thread.tid));
	noted = thread_stack_read(process, &maps, (uint64_t)thread.id);
	stack = thread_stack_at(process, &maps, &noted, (uint64_t)thread.id, thread.sp, 8 << 20);
	pthread_getattr_np(thread.id, &real);
	pthread_attr_getstack(&real, &low, &size);
	pthread_attr_getguardsize(&real, &guard);
	pthread_attr_destroy(&real);
	assert_int_equal((uint64_t)(uintptr_t)low, stack.low);
	assert_true(stack.high > thread.sp && stack.high <= (uint64_t)(uintptr_t)low + size);
	// A stack pointer that lies elsewhere is on no stack that is known.
	stack = thread_stack_at(process, &maps, &noted, (uint64_t)thread.id,
				(uint64_t)(uintptr_t)low - 64, 8 << 20);
	assert_int_equal(0, stack.high);
	end(&thread);
}

static void a_plain_threads_stack_is_found(void **state)
{
	(void)state;
	check(NULL);
}

static void a_stack_without_a_guard_ends_where_it_ends(void **state)
{
	pthread_attr_t attr;

	(void)state;
	pthread_attr_init(&attr);
	pthread_attr_setguardsize(&attr, 0);
	pthread_attr_setstacksize(&attr, 65536);
	check(&attr);
	pthread_attr_destroy(&attr);
}

static void memory_that_the_program_gave_is_a_stack(void **state)
{
	enum { SIZE = 65536, BELOW = 32768 };
	unsigned char *memory = mmap(NULL, BELOW + SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;

	(void)state;
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, memory + BELOW, SIZE);
	check(&attr);
	pthread_attr_destroy(&attr);
	munmap(memory, BELOW + SIZE);
}

static void the_first_threads_stack_may_grow(void **state)
{
	uint64_t sp = (uint64_t)(uintptr_t)__builtin_frame_address(0);
	struct thread_stack stack, none = { 0 };
	const struct mapping *mapping;

	(void)state;
	assert_null(process_open(getpid(), &process));
	assert_null(maps_read(process, &maps));
	mapping = maps_find(&maps, sp);
	stack = thread_stack_at(process, &maps, &none, (uint64_t)pthread_self(), sp, 8 << 20);
	assert_true(stack.low <= mapping->start && stack.low + (8 << 20) >= mapping->end);
	assert_int_equal(mapping->end, stack.high);
	assert_int_equal(0, thread_stack_read(process, &maps, (uint64_t)pthread_self()).high);
	maps_deinit(&maps);
	process_close(process);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_threads_stack_is_found),
		cmocka_unit_test(a_stack_without_a_guard_ends_where_it_ends),
		cmocka_unit_test(memory_that_the_program_gave_is_a_stack),
		cmocka_unit_test(the_first_threads_stack_may_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
