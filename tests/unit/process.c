// SPDX-License-Identifier: MIT
// Finding, opening and looking at processes, and why an attach would fail.
#include "debugger/target/permission.h"
#include "debugger/target/process.h"

#include <stdarg.h>
#include <setjmp.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static pid_t start_child(void (*body)(void))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (body)
		body();
	for (;;)
		pause();
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void expect_error(struct dc_error *err, enum dc_code code, const char *text)
{
	assert_non_null(err);
	if (!strstr(err->message, text))
		fail_msg("\"%s\" does not say \"%s\"", err->message, text);
	assert_int_equal(err->code, code);
	assert_null(strchr(err->message, '\n'));
	dc_error_destroy(err);
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void opens_by_any_thread(void **state)
{
	pthread_t thread;
	struct process *process;
	struct process_threads threads;
	struct thread_info info;
	pid_t other = 0;

	(void)state;
	pthread_create(&thread, NULL, wait_for_ever, NULL);
	assert_null(process_open(getpid(), &process));
	assert_null(process_threads(process, &threads));
	assert_int_equal(threads.n, 2);
	assert_int_equal(threads.tids[0], getpid());
	other = threads.tids[1];
	process_threads_deinit(&threads);
	process_close(process);

	assert_null(process_open(other, &process));
	assert_int_equal(process->pid, getpid());
	assert_true(process_alive(process));
	do
		assert_null(process_thread_info(process, other, &info));
	while (!info.in_syscall || info.state != 'S');
	assert_int_equal(info.syscall, SYS_pause);
	assert_int_equal(info.state, 'S');
	assert_int_equal(info.uid, geteuid());
	assert_int_equal(info.inner_tid, other);
	assert_null(process_thread_info(process, getpid(), &info));
	assert_int_equal(info.state, 'R');
	assert_false(info.in_syscall && info.syscall == SYS_pause);
	expect_error(process_thread_info(process, 1, &info), DC_THREAD_ENDED, "thread 1 ");
	process_close(process);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

static void finds_by_name_and_number(void **state)
{
	char name[16], text[32];
	pid_t found, first, second;

	(void)state;
	snprintf(name, sizeof(name), "dc(%d) x", getpid() % 100000);
	prctl(PR_GET_NAME, text);
	prctl(PR_SET_NAME, name); // the child inherits it; our own process is never meant
	expect_error(process_find(name, &found), DC_ATTACH, "there is no process called");
	first = start_child(NULL);
	assert_null(process_find(name, &found));
	assert_int_equal(found, first);
	second = start_child(NULL);

	struct dc_error *err = process_find(name, &found);

	snprintf(text, sizeof(text), "%d", first);
	assert_non_null(strstr(err->message, text));
	snprintf(text, sizeof(text), "%d", second);
	expect_error(err, DC_ATTACH, text);
	assert_null(process_find(text, &found));
	assert_int_equal(found, second);
	end_child(first);
	end_child(second);
	prctl(PR_SET_NAME, "process");
	expect_error(process_find("99999999999999999999", &found), DC_ATTACH, "no process");
	expect_error(process_find("0", &found), DC_ATTACH, "no process");
	expect_error(process_find("", &found), DC_USAGE, "empty");
}

static void knows_the_dead(void **state)
{
	struct process *process;
	pid_t pid = start_child(NULL);
	struct process_threads threads;
	struct thread_info info;
	siginfo_t end;
	char *text;
	size_t size;

	(void)state;
	assert_null(process_open(pid, &process));
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT), 0);
	assert_false(process_alive(process));
	expect_error(process_threads(process, &threads), DC_TARGET_ENDED, "has ended");

	struct process *zombie;

	expect_error(process_open(pid, &zombie), DC_ATTACH, "zombie");
	waitpid(pid, NULL, 0);
	assert_false(process_alive(process));
	expect_error(process_read_file(process, "status", &text, &size), DC_TARGET_ENDED, "ended");
	expect_error(process_thread_info(process, pid, &info), DC_TARGET_ENDED, "ended");
	expect_error(process_open(pid, &zombie), DC_ATTACH, "no process or thread");
	process_close(process);
}

static void *outlive_main(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	return wait_for_ever(NULL);
}

static void lose_main(void)
{
	static pthread_t self;
	pthread_t thread;

	self = pthread_self();
	pthread_create(&thread, NULL, outlive_main, &self);
	pthread_exit(NULL);
}

// A process whose main thread has ended is a zombie by its number, yet it runs.
static void opens_a_process_without_main_thread(void **state)
{
	pid_t pid = start_child(lose_main);
	struct process *process = NULL;
	char *text, path[32], line[64] = "";
	size_t size;

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (!strstr(line, ") Z")) {
		FILE *file = fopen(path, "r");

		assert_non_null(fgets(line, sizeof(line), file));
		fclose(file);
	}
	assert_null(process_open(pid, &process));
	assert_int_equal(process->pid, pid);
	assert_true(process_alive(process));
	assert_null(process_read_file(process, "maps", &text, &size));
	assert_true(size > 0);
	free(text);
	process_close(process);
	end_child(pid);
}

static void refuses_what_cannot_be_called_into(void **state)
{
	// As much of a 32-bit program as it takes to be run: it waits in pause().
	static const unsigned char program[] = {
		0x7f, 'E',  'L', 'F', 1,    1,	1, 0, 0,    0,	  0,	0,    0,    0,	  0, 0,
		2,    0,    3,	 0,   1,    0,	0, 0, 0x54, 0x80, 4,	8,    52,   0,	  0, 0,
		0,    0,    0,	 0,   0,    0,	0, 0, 52,   0,	  32,	0,    1,    0,	  0, 0,
		0,    0,    0,	 0,   1,    0,	0, 0, 0,    0,	  0,	0,    0,    0x80, 4, 8,
		0,    0x80, 4,	 8,   0x60, 0,	0, 0, 0x60, 0,	  0,	0,    5,    0,	  0, 0,
		0,    0x10, 0,	 0,   0xb8, 29, 0, 0, 0,    0xcd, 0x80, 0xeb, 0xf7, 0,	  0, 0,
	};
	char path[] = "/tmp/dc-narrow-XXXXXX";
	struct process *process;
	int fd = mkstemp(path), ready[2];
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(write(fd, program, sizeof(program)), sizeof(program));
	fchmod(fd, 0700);
	close(fd);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(path, path, NULL);
		_exit(write(ready[1], "x", 1) == 1 ? 127 : 126);
	}
	close(ready[1]);
	// The pipe closes by the exec, or says that there was none.
	bool ran = read(ready[0], &c, 1) == 0;

	close(ready[0]);
	unlink(path);
	if (ran)
		expect_error(process_open(pid, &process), DC_ATTACH, "32-bit");
	end_child(pid);

	// The kernel's own are children of kthreadd; in a container none can be seen.
	struct dc_error *err = process_open(2, &process);

	if (!err)
		process_close(process);
	else
		assert_int_equal(err->code, DC_ATTACH);
	dc_error_destroy(err);
	if (!ran) {
		print_message("# SKIP this kernel runs no 32-bit programs\n");
		skip();
	}
}

static void names_the_tracer(void **state)
{
	pid_t traced = start_child(NULL), tracer;
	struct process *process;
	int ready[2];
	char c, text[32];

	(void)state;
	assert_null(process_open(traced, &process));
	assert_null(process_may_attach(process));
	assert_int_equal(pipe(ready), 0);
	tracer = fork();
	if (!tracer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "other-tracer");
		if (ptrace(PTRACE_SEIZE, traced, 0, 0) == 0 && write(ready[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);

	struct dc_error *err = process_may_attach(process);

	assert_non_null(err);
	snprintf(text, sizeof(text), "process %d", tracer);
	assert_non_null(strstr(err->message, text));
	expect_error(err, DC_ATTACH, "other-tracer");
	end_child(tracer);
	assert_null(process_may_attach(process));
	process_close(process);
	end_child(traced);
}

// Most of these cannot be staged here; the judgement is the same.
static void judges_permissions(void **state)
{
	const struct permission_facts plain = { .pid = 7,
						.name = "daemon",
						.our_uid = 1000,
						.our_gid = 1000,
						.uid = { 1000, 1000, 1000 },
						.gid = { 1000, 1000, 1000 },
						.same_user_namespace = true,
						.is_dumpable = true,
						.yama = -1 };
	struct permission_facts facts;

	(void)state;
#define CASE(code, text, ...) \
	facts = plain;        \
	__VA_ARGS__;          \
	expect_error(permission_judge(&facts), code, text)

	facts = plain;
	facts.opens = true;
	facts.yama = 1;
	assert_null(permission_judge(&facts));
	CASE(DC_ATTACH, "gdb", facts.tracer = 5, facts.tracer_name = "gdb", facts.opens = true);
	CASE(DC_REFUSED, "frozen", facts.frozen = true, facts.opens = true);
	CASE(DC_REFUSED, "SHSTK", facts.shadow_stack = true, facts.opens = true);
	CASE(DC_REFUSED, "vgdb", facts.translator = "memcheck-amd64-linux", facts.opens = true);
	CASE(DC_REFUSED, "-g and", facts.translator = "qemu-aarch64", facts.opens = true);
	CASE(DC_ATTACH, "runs as user bob", facts.uid[0] = 33, facts.user = "bob");
	CASE(DC_ATTACH, "runs as user 33", facts.uid[0] = 33);
	CASE(DC_ATTACH, "--cap-add=SYS_PTRACE", facts.our_uid = 0);
	CASE(DC_ATTACH, "ptrace_scope is 1", facts.yama = 1);
	CASE(DC_ATTACH, "ptrace_scope is 2", facts.yama = 2, facts.is_descendant = true);
	CASE(DC_ATTACH, "ptrace_scope is 3", facts.yama = 3, facts.have_ptrace = true);
	CASE(DC_ATTACH, "security module", facts.yama = 1, facts.is_descendant = true);
	CASE(DC_ATTACH, "not dumpable", facts.is_dumpable = false);
	CASE(DC_ATTACH, "capabilities", facts.more_capable = true);
	CASE(DC_ATTACH, "user namespace", facts.have_ptrace = true,
	     facts.same_user_namespace = false);
#undef CASE
}

static void knows_translators(void **state)
{
	static const char *const all[] = { "/usr/libexec/valgrind/memcheck-amd64-linux",
					   "/usr/lib/x86_64-linux-gnu/valgrind/none-amd64-linux",
					   "/usr/bin/qemu-aarch64", "/usr/bin/qemu-x86_64-static",
					   "/usr/libexec/qemu-binfmt/qemu-armeb" };
	static const char *const none[] = { "/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-img",
					    "/home/valgrind/bin/server", "/usr/bin/valgrind.bin" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		assert_true(permission_is_translator(all[i]));
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_false(permission_is_translator(none[i]));
}

static void opens_files_as_the_target_sees_them(void **state)
{
	char path[] = "/tmp/dc-mapped-XXXXXX", got[8] = "";
	int fd = mkstemp(path);
	struct process *process;

	(void)state;
	assert_int_equal(write(fd, "first", 5), 5);

	void *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	uint64_t start = (uintptr_t)map;

	close(fd);
	assert_null(process_open(getpid(), &process));
	fd = process_open_file(process, path, 0, 0);
	assert_int_equal(read(fd, got, 5), 5);
	assert_string_equal(got, "first");
	close(fd);

	// Replaced by its name: the mapping still is the first one.
	char other[] = "/tmp/dc-mapped-XXXXXX";
	int other_fd = mkstemp(other);

	assert_int_equal(write(other_fd, "other", 5), 5);
	close(other_fd);
	rename(other, path);
	fd = process_open_file(process, path, start, start + 4096);
	if (fd >= 0) {
		assert_int_equal(read(fd, got, 5), 5);
		assert_string_equal(got, "first");
		close(fd);
	}
	unlink(path);
	assert_int_equal(process_open_file(process, path, 0, 0), -1);
	assert_int_equal(process_open_file(process, "/dev/null", 0, 0), -1);
	assert_int_equal(process_open_file(process, "[vdso]", 0, 0), -1);
	process_close(process);
	munmap(map, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_by_any_thread),
		cmocka_unit_test(finds_by_name_and_number),
		cmocka_unit_test(knows_the_dead),
		cmocka_unit_test(opens_a_process_without_main_thread),
		cmocka_unit_test(refuses_what_cannot_be_called_into),
		cmocka_unit_test(names_the_tracer),
		cmocka_unit_test(judges_permissions),
		cmocka_unit_test(knows_translators),
		cmocka_unit_test(opens_files_as_the_target_sees_them),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
