// SPDX-License-Identifier: MIT
// Descriptors of a target's own host: a sound one is taken, and whatever a target may have in its
// place is refused with the reason. The lists that one leads to are bounded too.
#include "debugger/stack/goroutines/descriptor.h"
#include "debugger/stack/goroutines/goroutines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

// clang-format off
static const char mappings[] =
	"400000-401000 r--p 00000000 08:01 7 /srv/server\n"
	"401000-410000 r-xp 00001000 08:01 7 /srv/server\n"
	"410000-420000 rw-p 00010000 08:01 7 /srv/server\n"
	"500000-510000 r-xp 00000000 08:01 8 /usr/lib/other.so\n"
	"510000-520000 r-xp 00000000 00:00 0 \n";
// clang-format on

enum { AT = 0x410100 };

static struct debugcall_descriptor sound(void)
{
	struct debugcall_descriptor d = {
		.magic = { 'd', 'e', 'b', 'u', 'g', 'c', 'a', 'l' },
		.size = sizeof(d),
		.major = DEBUGCALL_MAJOR,
		.minor = DEBUGCALL_MINOR,
		.handshake = DEBUGCALL_HANDSHAKE_SIGNAL,
		.handshake_signal = 2,
		.handshake_start = 0x402010,
		.handshake_end = 0x402020,
		.entry = 0x402000,
		.idle_entry = 0x402000,
		.idle_start = 0x402100,
		.idle_end = 0x402101,
		.text_start = 0x402000,
		.text_end = 0x40a000,
		.abandon_entry = 0x401200,
		.wanted = 0x411018,
		.attend_start = 0x402110,
		.attend_end = 0x402111,
		.m_attend = 4,
		.attend_asked = 5,
		.all_g = 0x411000,
		.all_m = 0x411008,
		.now = 0x411010,
		.statuses = 0x412000,
		.nr_statuses = 5,
		.wait_reasons = 0x413000,
		.nr_wait_reasons = 19,
		.status_running = 2,
		.status_waiting = 3,
		.g = { .size = 256, .label = 248, .creator_pc = 240, .flags = 255 },
		.m = { .size = 256, .in_runtime = 252, .call = 248 },
		.saved = { .size = 64, .pc = 56 },
	};

	return d;
}

static struct dc_error *check_at(const void *bytes, size_t n, uint64_t addr)
{
	struct debugcall_descriptor ret;
	struct maps maps;
	struct dc_error *err = maps_parse(strdup(mappings), &maps);

	assert_null(err);
	err = descriptor_check(bytes, n, addr, &maps, &ret);
	maps_deinit(&maps);
	return err;
}

static void refused(const void *bytes, size_t n, uint64_t addr, const char *words)
{
	struct dc_error *err = check_at(bytes, n, addr);

	if (!err)
		fail_msg("taken, though %s", words);
	if (err->code != DC_REFUSED || !strstr(err->message, words))
		fail_msg("%s instead of %s", err->message, words);
	dc_error_destroy(err);
}

static void takes_a_sound_one(void **state)
{
	struct debugcall_descriptor d = sound();
	unsigned char longer[sizeof(d) + 64] = { 0 };

	(void)state;
	assert_null(check_at(&d, sizeof(d), AT));
	// A newer minor version is longer, and the rest is as it was.
	d.minor++;
	d.size = sizeof(longer);
	memcpy(longer, &d, sizeof(d));
	assert_null(check_at(longer, sizeof(longer), AT));
	// Without what a host need not have.
	d = sound();
	d.idle_entry = d.idle_start = d.idle_end = 0;
	d.wanted = d.attend_start = d.attend_end = d.abandon_entry = 0;
	assert_null(check_at(&d, sizeof(d), AT));
	// The oldest minor version is shorter; what lies behind it is no part of it.
	d = sound();
	d.minor = 0;
	d.size = DEBUGCALL_DESCRIPTOR_OLDEST;
	d.wanted = 1;
	assert_null(check_at(&d, sizeof(d), AT));
	assert_null(check_at(&d, DEBUGCALL_DESCRIPTOR_OLDEST, AT));
}

static void refuses_other_versions(void **state)
{
	struct debugcall_descriptor d = sound();

	(void)state;
	d.major++;
	refused(&d, sizeof(d), AT, "version 2.");
	// Even when nothing else of it is as this version has it.
	d.size = DEBUGCALL_DESCRIPTOR_HEADER;
	refused(&d, DEBUGCALL_DESCRIPTOR_HEADER, AT, "version 2.");
	d.major = 0;
	refused(&d, sizeof(d), AT, "version 0.");
}

static void refuses_damage(void **state)
{
	(void)state;
	// clang-format off
#define DAMAGED(change, words)                             \
	do {                                               \
		struct debugcall_descriptor d = sound();   \
		change;                                    \
		refused(&d, sizeof(d), AT, words);         \
	} while (0)
	DAMAGED(d.magic[0] = 'x', "does not begin");
	DAMAGED(d.size = DEBUGCALL_DESCRIPTOR_OLDEST - 1, "too short");
	DAMAGED(d.wanted = 8, "a goroutine that is wanted");
	DAMAGED(d.attend_start = 0x411000, "wait to be entered");
	DAMAGED(d.attend_end = d.attend_start, "wait to be entered");
	DAMAGED(d.m_attend = (uint16_t)(d.m.size - 3), "asked to wait");
	DAMAGED(d.abandon_entry = 0x411000, "abandon a call");
	DAMAGED(d.size = 0, "too short");
	DAMAGED(d.handshake = 9, "no known kind");
	DAMAGED(d.handshake_signal = 0, "no known kind");
	DAMAGED(d.handshake_signal = 64, "no known kind");
	DAMAGED(d.entry = 0, "entry");
	DAMAGED(d.entry = 0x411000, "entry"); // data
	DAMAGED(d.entry = 0x500100, "entry"); // another module's code
	DAMAGED(d.entry = 0x510100, "entry"); // code of no module
	DAMAGED(d.entry = UINT64_MAX, "entry");
	DAMAGED(d.idle_entry = 0x411000, "idle");
	DAMAGED(d.idle_end = d.idle_start, "idle");
	DAMAGED(d.idle_end = 0x412000, "idle");
	DAMAGED(d.abandon_entry = 1, "abandon");
	DAMAGED(d.handshake_start = d.handshake_end + 1, "handshakes");
	DAMAGED(d.handshake_end = 0x411000, "handshakes");
	DAMAGED(d.handshake_end = UINT64_MAX, "handshakes");
	DAMAGED(d.text_end = d.text_start, "text");
	DAMAGED(d.text_start = 0, "text");
	DAMAGED(d.text_end = UINT64_MAX, "text");
	DAMAGED(d.all_g = 0, "lists");
	DAMAGED(d.all_m = 0x41fffc, "lists"); // half outside
	DAMAGED(d.now = 1, "clock");
	DAMAGED(d.statuses = 0, "texts");
	DAMAGED(d.nr_statuses = UINT64_MAX / 4, "texts");
	DAMAGED(d.nr_wait_reasons = 1000000, "texts");
	DAMAGED(d.status_dead = 5, "status");
	DAMAGED(d.status_running = UINT32_MAX, "status");
	DAMAGED(d.g.size = 65535, "larger");
	DAMAGED(d.m.size = 65535, "larger");
	DAMAGED(d.g.label = 249, "g.label");
	DAMAGED(d.g.next = 65535, "g.next");
	DAMAGED(d.g.flags = 256, "g.flags");
	DAMAGED(d.m.in_runtime = 253, "m.in_runtime");
	DAMAGED(d.m.size = 0, "m.");
	DAMAGED(d.saved.pc = 57, "saved.pc");
#undef DAMAGED
	// clang-format on
	struct debugcall_descriptor d = sound();

	refused(&d, sizeof(d), 0x900000, "not in memory");
	for (size_t n = 0; n < sizeof(d); n++)
		refused(&d, n, AT, "damaged");
}

// Any bytes: refused or taken, never read beyond.
static void survives_anything(void **state)
{
	uint64_t seed = 88172645463325252;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct debugcall_descriptor d = sound();
		unsigned char *bytes = malloc(sizeof(d));

		for (int k = 0; k < 4; k++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			((unsigned char *)&d)[seed % sizeof(d)] = (unsigned char)(seed >> 32);
		}
		memcpy(bytes, &d, sizeof(d));
		dc_error_destroy(check_at(bytes, sizeof(d), AT));
		free(bytes);
	}
}

// ---- lists, in this process's own memory ----------------------------------------------------------

struct object {
	struct object *next;
	uint64_t id, current;
	uint32_t tid, in_runtime;
};

static struct debugcall_descriptor lists(struct object **head)
{
	return (struct debugcall_descriptor){
		.all_m = (uintptr_t)head,
		.m = { .size = sizeof(struct object),
		       .next = offsetof(struct object, next),
		       .id = offsetof(struct object, id),
		       .tid = offsetof(struct object, tid),
		       .current = offsetof(struct object, current),
		       .in_runtime = offsetof(struct object, in_runtime) },
	};
}

static void walks_sound_lists(void **state)
{
	enum { N = 100 };
	struct object objects[N] = { 0 }, *head = objects;
	struct debugcall_descriptor d = lists(&head);
	struct machines machines;

	for (int i = 0; i < N; i++) {
		objects[i].id = (uint64_t)i;
		objects[i].tid = (uint32_t)i;
		objects[i].next = i + 1 < N ? &objects[i + 1] : NULL;
	}
	assert_null(machines_read(*state, &d, &machines));
	assert_int_equal(machines.n, N);
	assert_int_equal(machines.machine[N - 1].id, N - 1);
	assert_int_equal(machines_with(&machines, 5)->id, 5);
	// A thread id of 0 is no thread's.
	assert_null(machines_with(&machines, 0));
	assert_null(machines_with(&machines, N));
	machines_deinit(&machines);
	head = NULL;
	assert_null(machines_read(*state, &d, &machines));
	assert_int_equal(machines.n, 0);
	machines_deinit(&machines);
}

static void ends_damaged_lists(void **state)
{
	enum { N = 50 };
	struct object objects[N] = { 0 }, *head = objects;
	struct debugcall_descriptor d = lists(&head);
	struct machines machines;

	for (int back = 0; back < N; back++) {
		for (int i = 0; i < N; i++)
			objects[i].next = &objects[i + 1 < N ? i + 1 : back];
		struct dc_error *err = machines_read(*state, &d, &machines);

		assert_non_null(err);
		assert_non_null(strstr(err->message, "damaged"));
		dc_error_destroy(err);
	}
	objects[3].next = (struct object *)8;
	struct dc_error *err = machines_read(*state, &d, &machines);

	assert_non_null(err);
	assert_int_equal(err->code, DC_VALUE);
	dc_error_destroy(err);
}

static int open_self(void **state)
{
	struct process *process;
	struct dc_error *err = process_open(getpid(), &process);

	assert_null(err);
	*state = process;
	return 0;
}

static int close_self(void **state)
{
	process_close(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_sound_one),
		cmocka_unit_test(refuses_other_versions),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(survives_anything),
		cmocka_unit_test_setup_teardown(walks_sound_lists, open_self, close_self),
		cmocka_unit_test_setup_teardown(ends_damaged_lists, open_self, close_self),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
