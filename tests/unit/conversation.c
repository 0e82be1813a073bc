// SPDX-License-Identifier: MIT
// Drives the real machines of both sides through every interleaving of what the callee does, stray
// signals, signals that become one with a handshake, deadlines with the callee at work and parked,
// calls again, refusals, a lying host and the debugger's death, and checks each path's end.
#include "protocol/conversation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SIGNALS_MAX = 2, PARKS_MAX = 1, CALLS_MAX = 2 };

// What the world remembers of one path. The thread is the only thing that moves; the client moves
// when the thread stops.
struct world {
	struct host_conversation host;
	struct client_conversation client;
	bool client_alive;
	bool sigint_ignored; // then a handshake without a debugger vanishes, and the host goes on
	enum host_action doing; // what the host's thread is at
	bool in_callee, parked;
	bool asked_to_abandon;
	bool set_aside; // the callee goes on, and nobody waits for it
	int parks;
	int calls, restores, signals_sent, signals_forwarded, deadlines;
	int said_after_death; // handshakes after the host could know that nobody listens
	bool knows_death;
	bool released; // the client is done with a living thread
};

// Each path is finite: every step either advances the host or uses up a bounded event.
static uint64_t paths, ends[8], both, again, aside, aside_alone, undone, left;

static void explore(struct world world);

static unsigned long status_of(enum host_action action)
{
	switch (action) {
	case HOST_DO_SAY_READY: return DEBUGCALL_READY;
	case HOST_DO_SAY_RETURNED: return DEBUGCALL_RETURNED;
	case HOST_DO_SAY_PANICKED: return DEBUGCALL_PANICKED;
	case HOST_DO_SAY_REFUSED: return DEBUGCALL_REFUSED;
	case HOST_DO_SAY_RESTORED: return DEBUGCALL_RESTORED;
	default: fail_msg("not a status"); return 0;
	}
}

static void host(struct world world, enum host_event event)
{
	world.doing = host_step(&world.host, event);
	assert_int_not_equal(world.doing, HOST_DO_FAIL);
	world.in_callee = world.parked = false;
	explore(world);
}

// The client has its answer and is off, the signal passed on; a stranger's that stood for it is marked
// as heard, and to a program that ignores it nothing comes.
static void client_leaves(struct world world)
{
	assert_true(client_leave(&world.client));
	assert_int_equal(world.client.state, CLIENT_DONE);
	assert_false(client_leave(&world.client));
	left++;
	world.client_alive = false;
	host(world, HOST_ON_HEARD);
	if (world.sigint_ignored)
		return;
	world.knows_death = true;
	host(world, HOST_ON_UNHEARD);
}

// The thread goes on behind a handshake that the client swallowed.
static void client_did(struct world world, enum client_action action)
{
	switch (action) {
	case CLIENT_DO_CALL:
		assert_int_equal(world.doing, HOST_DO_SAY_READY);
		world.calls++;
		world.in_callee = true;
		explore(world);
		break;
	case CLIENT_DO_FINISH:
		assert_int_equal(world.doing, HOST_DO_SAY_RESTORED);
		world.released = true;
		host(world, HOST_ON_HEARD);
		break;
	case CLIENT_DO_DECLINE: host(world, HOST_ON_HEARD); break;
	case CLIENT_DO_TAKE_RESULT:
	case CLIENT_DO_TAKE_PANIC:
	case CLIENT_DO_TAKE_REASON:
		host(world, HOST_ON_HEARD);
		client_leaves(world);
		break;
	default: fail_msg("action %d at a handshake", action);
	}
}

static void finished(const struct world *world)
{
	paths++;
	assert_int_equal(world->host.state, HOST_HOME);
	assert_int_equal(world->restores, 1);
	assert_true(world->calls <= CALLS_MAX);
	assert_int_equal(world->said_after_death, 0);
	assert_int_equal(world->signals_forwarded, world->signals_sent);
	if (world->client_alive) {
		assert_int_equal(world->client.state, CLIENT_DONE);
		assert_true(world->released);
		ends[world->client.outcome]++;
		assert_true((world->client.outcome == CLIENT_GOT_RETURNED ||
			     world->client.outcome == CLIENT_GOT_PANICKED ||
			     world->client.outcome == CLIENT_GOT_ABANDONED) == (world->calls > 0));
		assert_true(world->client.outcome == CLIENT_GOT_ABANDONED || !world->set_aside);
	}
}

// The debugger may die at any moment; a thread in a stop then goes on as if nothing had been there.
static void maybe_dies(struct world world)
{
	if (!world.client_alive)
		return;
	world.client_alive = false;
	explore(world);
}

static void maybe_signal(struct world world)
{
	if (world.signals_sent == SIGNALS_MAX)
		return;
	world.signals_sent++;
	if (world.client_alive)
		assert_int_equal(client_step(&world.client, CLIENT_ON_SIGNAL, 0),
				 CLIENT_DO_FORWARD);
	world.signals_forwarded++;
	explore(world);
}

static void maybe_deadline(struct world world)
{
	if (!world.client_alive || world.deadlines == 2)
		return;
	world.deadlines++;
	enum client_action action = client_step(&world.client, CLIENT_ON_DEADLINE, 0);

	if (action == CLIENT_DO_ABANDON) {
		assert_false(world.asked_to_abandon);
		world.asked_to_abandon = true;
		explore(world);
		return;
	}
	assert_int_equal(action, CLIENT_DO_WAIT);
	explore(world);
}

// Asked for, it happens where the callee is: what computes is taken back to READY, what is parked
// is set aside. The debugger may die when the thread is on its way already.
static void maybe_abandon(struct world world)
{
	if (!world.asked_to_abandon || !world.in_callee || !world.client_alive)
		return;
	if (!world.parked) {
		undone++;
		host(world, HOST_ON_HEARD);
		return;
	}
	world.set_aside = true;
	aside++;
	host(world, HOST_ON_ABANDONED);
	aside_alone++;
	world.client_alive = false;
	host(world, HOST_ON_ABANDONED);
}

// The callee returned, and the client wants it once more: the host does not notice.
static void maybe_again(struct world world)
{
	if (!world.client_alive || world.parked || world.calls == CALLS_MAX ||
	    world.asked_to_abandon)
		return;
	assert_int_equal(client_step(&world.client, CLIENT_ON_STATUS, DEBUGCALL_RETURNED),
			 CLIENT_DO_TAKE_RESULT);
	assert_true(client_again(&world.client));
	assert_false(client_again(&world.client));
	assert_false(client_leave(&world.client));
	world.calls++;
	again++;
	explore(world);
}

static void heard(struct world world)
{
	unsigned long status = status_of(world.doing);
	enum client_action action;

	assert_true(client_expects(&world.client, status));
	action = client_step(&world.client, CLIENT_ON_STATUS, status);
	// Another signal at the same place is then only itself.
	assert_false(client_expects(&world.client, status));
	client_did(world, action);
}

static void say(struct world world)
{
	if (world.knows_death)
		world.said_after_death++;
	// One that was pending for the thread takes the handshake's place: both sides hear both.
	if (world.signals_sent < SIGNALS_MAX && world.client_alive) {
		struct world one = world;

		one.signals_sent++;
		one.signals_forwarded++;
		both++;
		heard(one);
	}
	if (world.client_alive) {
		heard(world);
	} else if (world.sigint_ignored) {
		host(world, HOST_ON_HEARD);
	} else {
		world.knows_death = true;
		host(world, HOST_ON_UNHEARD);
	}
}

static void explore(struct world world)
{
	maybe_dies(world);
	maybe_signal(world);
	maybe_deadline(world);
	if (world.in_callee) {
		maybe_abandon(world);
		maybe_again(world);
		if (world.parked) {
			world.parked = false;
			explore(world);
			return;
		}
		if (world.parks < PARKS_MAX) {
			struct world parked = world;

			parked.parked = true;
			parked.parks++;
			explore(parked);
		}
		host(world, HOST_ON_RETURNS);
		host(world, HOST_ON_PANICS);
		return;
	}
	switch (world.doing) {
	case HOST_DO_CHECK:
		host(world, HOST_ON_REFUSES);
		host(world, HOST_ON_ACCEPTS);
		break;
	case HOST_DO_GO_HOME:
		world.restores++;
		finished(&world);
		break;
	default: say(world);
	}
}

static void every_interleaving(void **state)
{
	(void)state;
	for (int ignored = 0; ignored < 2; ignored++) {
		struct world world = { .client_alive = true, .sigint_ignored = ignored };

		world.doing = host_step(&world.host, HOST_ON_ENTERED);
		assert_int_equal(world.doing, HOST_DO_CHECK);
		explore(world);
	}
	assert_true(paths > 1000);
	assert_true(ends[CLIENT_GOT_RETURNED] && ends[CLIENT_GOT_PANICKED] &&
		    ends[CLIENT_GOT_REFUSED] && ends[CLIENT_GOT_ABANDONED] &&
		    ends[CLIENT_GOT_DECLINED]);
	assert_true(both && again && aside && aside_alone && undone && left);
	print_message("# %llu paths\n", (unsigned long long)paths);
}

// A thread that ends at any point leaves a client that is done and wants nothing of it.
static void thread_ends(void **state)
{
	(void)state;
	static const unsigned long script[] = { DEBUGCALL_READY, DEBUGCALL_RETURNED };

	for (size_t n = 0; n <= 2; n++) {
		struct client_conversation client = { 0 };

		for (size_t i = 0; i < n; i++)
			client_step(&client, CLIENT_ON_STATUS, script[i]);
		assert_int_equal(client_step(&client, CLIENT_ON_GONE, 0), CLIENT_DO_NOTHING);
		assert_int_equal(client.state, CLIENT_DONE);
		assert_int_equal(client.outcome, CLIENT_GOT_GONE);
	}
}

// Every sequence of statuses that a host may make up: the client ends, and only on its own rules
// calls.
static void lying_host(void **state)
{
	(void)state;
	static const unsigned long statuses[] = { DEBUGCALL_READY,
						  DEBUGCALL_RETURNED,
						  DEBUGCALL_PANICKED,
						  DEBUGCALL_REFUSED,
						  DEBUGCALL_RESTORED,
						  3,
						  ~0ul };
	enum { N = 7, LENGTH = 4 };

	for (int code = 0; code < N * N * N * N; code++) {
		struct client_conversation client = { 0 };
		int calls = 0, rest = code;

		for (int i = 0; i < LENGTH && client.state != CLIENT_DONE; i++, rest /= N) {
			enum client_action action = client_step(&client, CLIENT_ON_STATUS,
								statuses[rest % N]);

			calls += action == CLIENT_DO_CALL;
			assert_true(action == CLIENT_DO_CALL || action == CLIENT_DO_TAKE_RESULT ||
				    action == CLIENT_DO_TAKE_PANIC ||
				    action == CLIENT_DO_TAKE_REASON || action == CLIENT_DO_FINISH ||
				    action == CLIENT_DO_LET_GO);
			assert_true((action == CLIENT_DO_LET_GO) ==
				    (client.outcome == CLIENT_GOT_LIED));
		}
		assert_true(calls <= 1);
		// Four statuses are more than any conversation has.
		assert_int_equal(client.state, CLIENT_DONE);
	}
}

static void host_keeps_its_turn(void **state)
{
	(void)state;
	static const struct {
		enum host_state state;
		unsigned allowed; // bit per event
	} turns[] = {
		{ HOST_NOWHERE, 1u << HOST_ON_ENTERED },
		{ HOST_CHECKING, 1u << HOST_ON_REFUSES | 1u << HOST_ON_ACCEPTS },
		{ HOST_READY, 1u << HOST_ON_HEARD | 1u << HOST_ON_UNHEARD | 1u << HOST_ON_RETURNS |
				      1u << HOST_ON_PANICS | 1u << HOST_ON_ABANDONED },
		{ HOST_ANSWERING, 1u << HOST_ON_HEARD | 1u << HOST_ON_UNHEARD },
		{ HOST_RESTORING, 1u << HOST_ON_HEARD | 1u << HOST_ON_UNHEARD },
		{ HOST_HOME, 1u << HOST_ON_ENTERED },
	};

	for (size_t i = 0; i < sizeof(turns) / sizeof(*turns); i++) {
		for (int event = 0; event < HOST_EVENTS_END; event++) {
			struct host_conversation host = { turns[i].state };
			enum host_action action = host_step(&host, (enum host_event)event);

			assert_int_equal(action != HOST_DO_FAIL, turns[i].allowed >> event & 1);
		}
	}
}

static void texts(void **state)
{
	(void)state;
	assert_string_equal(debugcall_status_text(DEBUGCALL_PANICKED), "panicked");
	assert_null(debugcall_status_text(3));
	assert_string_equal(debugcall_refusal_text(DEBUGCALL_NOT_SAFE), "call not at safe point");
	assert_string_equal(debugcall_refusal_text(DEBUGCALL_FRAME_TOO_LARGE),
			    "call frame too large");
	assert_null(debugcall_refusal_text(DEBUGCALL_ACCEPTED));
	assert_null(debugcall_refusal_text(DEBUGCALL_REFUSALS_END));
	assert_string_equal(host_state_name(HOST_HOME), "HOME");
	assert_string_equal(client_outcome_name(CLIENT_GOT_LIED), "LIED");
	assert_string_equal(client_state_name(CLIENT_DONE), "DONE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_interleaving),
		cmocka_unit_test(thread_ends),
		cmocka_unit_test(lying_host),
		cmocka_unit_test(host_keeps_its_turn),
		cmocka_unit_test(texts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
