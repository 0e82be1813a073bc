// SPDX-License-Identifier: MIT
// The list of mappings and the texts of /proc: as kernels write them, and as nobody should.
#include "debugger/target/maps.h"
#include "debugger/target/status.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static struct dc_error *parse(const char *text, struct maps *ret)
{
	return maps_parse(strdup(text), ret);
}

static void reads_each_field(void **state)
{
	struct maps maps;

	(void)state;
	assert_null(parse("00400000-0040b000 r-xp 00001000 fe:02 173521      /usr/bin/a b\n"
			  "7f0000000000-7f0000001000 ---s 00000000 00:01 1029 /memfd:x (deleted)\n"
			  "7f0000001000-7f0000003000 rw-p 00000000 00:00 0 \n"
			  "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0      [stack]\n"
			  "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  /a\\012b",
			  &maps));
	assert_int_equal(maps.n, 5);
	assert_int_equal(maps.map[0].start, 0x400000);
	assert_int_equal(maps.map[0].end, 0x40b000);
	assert_int_equal(maps.map[0].offset, 0x1000);
	assert_int_equal(maps.map[0].inode, 173521);
	assert_int_equal(maps.map[0].dev_major, 0xfe);
	assert_int_equal(maps.map[0].dev_minor, 2);
	assert_true(maps.map[0].readable && !maps.map[0].writable && maps.map[0].executable);
	assert_string_equal(maps.map[0].path, "/usr/bin/a b");
	assert_true(maps.map[1].shared && maps.map[1].deleted);
	assert_string_equal(maps.map[1].path, "/memfd:x");
	assert_string_equal(maps.map[2].path, "");
	assert_string_equal(maps.map[3].path, "[stack]");
	assert_string_equal(maps.map[4].path, "/a\nb");

	assert_ptr_equal(maps_find(&maps, 0x400000), &maps.map[0]);
	assert_ptr_equal(maps_find(&maps, 0x40afff), &maps.map[0]);
	assert_null(maps_find(&maps, 0x40b000));
	assert_null(maps_find(&maps, 0));
	assert_null(maps_find(&maps, UINT64_MAX));
	assert_ptr_equal(maps_find(&maps, 0x7f0000001000), &maps.map[2]);
	maps_deinit(&maps);
}

static void refuses_what_no_kernel_writes(void **state)
{
	static const char *const texts[] = {
		"x",
		"00400000-00400000 r-xp 00000000 00:00 0\n", // empty
		"00401000-00400000 r-xp 00000000 00:00 0\n",
		"00400000-00401000 r-x\n",
		"00400000-00401000 rwzp 00000000 00:00 0\n",
		"00400000-00401000 r-xp 00000000 00:00\n",
		"00400000-00401000 r-xp 00000000 00:00 0x\n",
		"-0400000-00401000 r-xp 00000000 00:00 0\n",
		"00400000-10000000000401000 r-xp 00000000 00:00 0\n",
		"00400000-00402000 r-xp 00000000 00:00 0\n00401000-00403000 r-xp 00000000 00:00 "
		"0\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct maps maps;
		struct dc_error *err = parse(texts[i], &maps);

		if (!err)
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(err->code, DC_SYSTEM);
		dc_error_destroy(err);
	}
}

static uint64_t seed = 1;

static unsigned noise(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

// Takes well-formed texts apart and together again. There is nothing to compare with: under the
// sanitizers it must not read or write where it may not, and what is accepted must be in order.
static void survives_garbage(void **state)
{
	static const char *const seeds[] = {
		"00400000-0040b000 r-xp 00001000 fe:02 173521      /usr/bin/a\n"
		"7f0000000000-7f0000001000 ---s 00000000 00:01 1029 /memfd:x (deleted)\n"
		"7f0000001000-7f0000003000 rw-p 00000000 00:00 0 \n",
		"12 (a) b) S 1 12 12 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 777 1 1 1 1 1 1 1 1 1 1 "
		"1 1 1 0 0 17 3 0 0 0 0 0\n",
		"Name:\tx\nTgid:\t12\nNSpid:\t12 7 1\nUid:\t0\t1\t2\t3\nSigBlk:\t00ff\nVmLck:\t4 "
		"kB\n"
		"x86_Thread_features:\tshstk wrss\n",
		"0 0x3 0x7fcbc2c91000 0x20000 0x7fcbc2d22b60 0xffffffff 0x0 0x7ffea0a15e18 "
		"0x7fcb\n",
	};

	(void)state;
	for (int round = 0; round < 40000; round++) {
		const char *from = seeds[noise(4)];
		size_t length = strlen(from);
		char *text = malloc(length + 1);
		struct maps maps;
		struct status_stat stat;
		struct status status;
		struct status_syscall call;

		memcpy(text, from, length + 1);
		for (unsigned i = noise(6); i; i--) {
			size_t at = noise((unsigned)length), other = noise((unsigned)length);
			size_t room = length - (at > other ? at : other);

			if (noise(3))
				text[at] = (char)noise(256);
			else
				memmove(text + at, text + other, noise((unsigned)room + 1));
		}
		text[noise(4) ? length : noise((unsigned)length)] = '\0';
		text = realloc(text, strlen(text) + 1);
		(void)!status_parse_stat(text, &stat);
		assert_true(strnlen(stat.name, sizeof(stat.name)) < sizeof(stat.name));
		(void)!status_parse(text, &status);
		(void)!status_parse_syscall(text, &call);

		struct dc_error *err = maps_parse(text, &maps);

		for (size_t i = 0; !err && i < maps.n; i++) {
			assert_true(maps.map[i].start < maps.map[i].end);
			assert_true(!i || maps.map[i - 1].end <= maps.map[i].start);
			assert_ptr_equal(maps_find(&maps, maps.map[i].start), &maps.map[i]);
		}
		if (!err)
			maps_deinit(&maps);
		dc_error_destroy(err);
	}
}

static void reads_a_process(void **state)
{
	struct process *process;
	struct maps maps;
	int here;
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_null(process_open(getpid(), &process));
	assert_null(maps_read(process, &maps));

	const struct mapping *text = maps_find(&maps, (uintptr_t)reads_a_process);

	assert_true(text && text->executable && strstr(text->path, "maps"));
	assert_string_equal(maps_find(&maps, (uintptr_t)&here)->path, "[stack]");
	assert_false(maps_find(&maps, (uintptr_t)page)->readable);
	maps_deinit(&maps);
	process_close(process);
	munmap(page, 4096);
}

// Fields behind a name that looks like fields.
static void reads_stat_and_status(void **state)
{
	struct status_stat stat;
	struct status status;
	struct status_syscall call;

	(void)state;
	assert_true(status_parse_stat("7 (a) R 9 (b) S 3 7 7 0 -1 2129984 1 0 0 0 0 0 0 0 20 0 1 0 "
				      "777 1 1 1 1 1 1 1 1 1 1 1 1 1 0 0 17 3 0",
				      &stat));
	assert_string_equal(stat.name, "a) R 9 (b");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.parent, 3);
	assert_true(stat.is_kernel_thread);
	assert_int_equal(stat.start_time, 777);
	assert_int_equal(stat.last_cpu, 3);
	assert_true(status_parse("Name:\tx\\nTgid:\t1\nTgid:\t12\nNStgid:\t12\t7\nNSpid:\t13\t8\n"
				 "Uid:\t1\t2\t3\t4\nSigCgt:\t8000000000000001\nCapEff:\t80000\n"
				 "VmLck:\t  8 kB\nx86_Thread_features:\tshstk \n",
				 &status));
	assert_int_equal(status.tgid, 12);
	assert_int_equal(status.inner_pid, 7);
	assert_int_equal(status.inner_tid, 8);
	assert_int_equal(status.uid[1], 2);
	assert_true(status.sig_caught == 0x8000000000000001);
	assert_int_equal(status.locked_bytes, 8192);
	assert_true(status.shadow_stack);
	assert_false(status_parse("Name:\tx\n", &status));
	assert_true(status_parse_syscall("running\n", &call) && call.is_running);
	assert_true(status_parse_syscall("-1 0x7ffe 0x40\n", &call) && call.nr == -1);
	assert_int_equal(call.pc, 0x40);
	assert_true(status_parse_syscall("202 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffe 0x40", &call));
	assert_int_equal(call.args[5], 6);
	assert_false(status_parse_syscall("202 0x1 0x2", &call));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_field),
		cmocka_unit_test(refuses_what_no_kernel_writes),
		cmocka_unit_test(survives_garbage),
		cmocka_unit_test(reads_a_process),
		cmocka_unit_test(reads_stat_and_status),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
