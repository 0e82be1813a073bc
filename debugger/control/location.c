// SPDX-License-Identifier: MIT
// The places that all threads stop at: one for whatever means it, armed in each thread.
#include "debugger/control/control.h"

#include "debugger/base/cleanup.h"
#include "debugger/control/judge.h"
#include "debugger/control/patch.h"

#include <stdlib.h>

const struct location *control_location_at(const struct control *control, uint64_t addr)
{
	const struct location *at = control->locations;

	while (at && (at->addr != addr || at->way == LOCATION_HARDWARE))
		at = at->next;
	return at;
}

static void disarm(struct control *control, const struct location *location)
{
	if (location->way == LOCATION_UPROBE)
		uprobes_disarm(control->uprobes, location->addr);
	else if (location->way == LOCATION_PATCH)
		patch_disarm(control, location);
}

static void destroy(struct location *location)
{
	filter_destroy(location->filter);
	free(location);
}

// All hits are told again, from this moment on.
static void lift(struct location *location)
{
	if (location->is_judged)
		dc_error_destroy(filter_set(location->filter, NULL));
	location->is_judged = false;
}

static void remove_unused(struct control *control, struct location *location)
{
	struct location **at = &control->locations;

	while (*at != location)
		at = &(*at)->next;
	*at = location->next;
	disarm(control, location);
	for (struct thread *thread = control->threads; thread; thread = thread->next) {
		if (thread->stop.location == location)
			thread->stop.location = NULL;
		dc_error_destroy(thread_arm(thread, control->locations));
	}
	destroy(location);
}

// ---- ways -----------------------------------------------------------------------------------------

static unsigned nr_hardware(const struct control *control)
{
	unsigned n = 0;

	for (const struct location *at = control->locations; at; at = at->next)
		n += at->way == LOCATION_HARDWARE;
	return n;
}

// In all threads, those that end meanwhile left out.
static struct dc_error *arm_threads(struct control *control)
{
	struct dc_error *err = NULL;

	for (struct thread *thread = control->threads; thread && !err; thread = thread->next) {
		err = thread_arm(thread, control->locations);
		if (err && thread_is_end(err)) {
			dc_error_destroy(err);
			err = NULL;
		}
	}
	return err;
}

// Each takes the kernel a moment to arm, and more to take back, so that they are no means for
// thousands.
enum { BEYOND_MAX = 32 };
static bool is_full(const struct control *control)
{
	unsigned n = 0;

	for (const struct location *at = control->locations; at; at = at->next)
		n += at->way != LOCATION_HARDWARE;
	return n >= BEYOND_MAX;
}

static struct dc_error *probe(struct control *control, struct location *location)
{
	struct dc_error *err = NULL;

	if (!control->uprobes)
		err = uprobes_create(control->process, &control->uprobes);
	// Threads are told from the first hit on.
	if (!err)
		err = arm_threads(control);
	if (!err)
		err = uprobes_arm(control->uprobes, location->addr);
	if (!err)
		location->way = LOCATION_UPROBE;
	return err;
}

// A place that a uprobe serves as well leaves its breakpoint of the processor's to one that it does
// not.
static bool make_room(struct control *control)
{
	for (struct location *at = control->locations; at; at = at->next) {
		struct dc_error *err = NULL;

		if (at->way != LOCATION_HARDWARE || at->kind != BREAKPOINT_EXECUTE)
			continue;
		err = probe(control, at);
		if (!err) {
			// The kernel judged for the processor's only.
			lift(at);
			return true;
		}
		dc_error_destroy(err);
	}
	return false;
}

static struct dc_error *arm_hardware(struct control *control, struct location *location)
{
	struct dc_error *err;

	if (nr_hardware(control) == LOCATIONS_MAX)
		return error_make(DC_REFUSED,
				  "all %d hardware breakpoints are in use (of four, one is kept "
				  "for steps)",
				  LOCATIONS_MAX);
	location->way = LOCATION_HARDWARE;
	location->next = control->locations;
	control->locations = location;
	err = arm_threads(control);
	if (!err)
		return NULL;
	control->locations = location->next;
	dc_error_destroy(arm_threads(control));
	return err;
}

static struct dc_error *arm_uprobe(struct control *control, struct location *location)
{
	struct dc_error *err = probe(control, location);

	if (err)
		return err;
	location->next = control->locations;
	control->locations = location;
	return NULL;
}

static struct dc_error *arm_patch(struct control *control, struct location *location)
{
	struct dc_error *err = patch_arm(control, location);

	if (err)
		return err;
	location->way = LOCATION_PATCH;
	location->next = control->locations;
	control->locations = location;
	return NULL;
}

static bool is_refused(const struct dc_error *err)
{
	return err && err->code == DC_REFUSED;
}

// What is in the way of the first choice is what is said, and of the others, too.
static struct dc_error *instead(struct dc_error *first, struct dc_error *err)
{
	if (!is_refused(err)) {
		dc_error_destroy(first);
		return err;
	}
	first->wants_patch |= err->wants_patch;
	first = error_note(first, "%s", err->message);
	dc_error_destroy(err);
	return first;
}

static struct dc_error *arm(struct control *control, struct location *location)
{
	struct dc_error *err = arm_hardware(control, location);

	if (is_refused(err) && is_full(control))
		return error_note(err, "and so are the %d beyond them", BEYOND_MAX);
	if (is_refused(err) && location->kind == BREAKPOINT_EXECUTE)
		err = instead(err, arm_uprobe(control, location));
	if (is_refused(err) && make_room(control))
		err = instead(err, arm_hardware(control, location));
	if (is_refused(err) && location->kind == BREAKPOINT_EXECUTE)
		err = instead(err, arm_patch(control, location));
	return err;
}

struct dc_error *control_add_location(struct control *control, uint64_t addr,
				      enum kernel_breakpoint_kind kind, size_t size,
				      const struct location **ret)
{
	struct location *location = control->locations;
	struct dc_error *err;

	while (location &&
	       (location->addr != addr || location->kind != kind || location->size != size))
		location = location->next;
	if (location) {
		// What the newcomer wants to be told is not known yet.
		lift(location);
		location->users++;
		*ret = location;
		return NULL;
	}
	location = malloc(sizeof(*location));
	if (!location)
		return &dc_out_of_memory;
	*location = (struct location){ .addr = addr, .kind = kind, .size = size, .users = 1 };
	err = arm(control, location);
	if (err) {
		free(location);
		return err;
	}
	*ret = location;
	return NULL;
}

void control_forget_locations(struct control *control)
{
	for (struct thread *thread = control->threads; thread; thread = thread->next) {
		thread_disarm(thread);
		thread->stop.location = NULL;
	}
	while (control->locations) {
		struct location *location = control->locations;

		control->locations = location->next;
		disarm(control, location);
		destroy(location);
	}
	uprobes_destroy(take_ptr(control->uprobes));
}

static struct location *own(struct control *control, const struct location *location)
{
	struct location *mine = control->locations;

	while (mine != location)
		mine = mine->next;
	return mine;
}

void control_lift_condition(struct control *control, const struct location *location)
{
	lift(own(control, location));
}

struct dc_error *control_judge_location(struct control *control, const struct location *location,
					const struct predicate *predicate)
{
	struct location *mine = own(control, location);
	bool is_new = !mine->filter;
	struct bpf_program program = { .n = 0 };
	struct dc_error *err = NULL;

	// On a crowded machine a thread that hit without end was sent a SIGTRAP by the kernel, some
	// once in 600 judged hits that were told, and died: unsafe until it is known why.
	if (!control->may_judge)
		err = error_make(DC_REFUSED, "the kernel is not trusted to judge");
	else if (mine->kind != BREAKPOINT_EXECUTE)
		err = error_make(DC_REFUSED, "what is watched is looked at by the debugger");
	else if (mine->way != LOCATION_HARDWARE)
		err = error_make(DC_REFUSED, "it is none of the processor's breakpoints");
	if (!err)
		err = judge_compile(predicate, &program);
	if (!err && is_new)
		err = filter_create(&mine->filter);
	if (!err)
		err = filter_set(mine->filter, &program);
	mine->is_judged = !err;
	// An event takes its program before it is enabled.
	for (struct thread *thread = control->threads; !err && is_new && thread;
	     thread = thread->next)
		err = thread_arm_anew(thread, mine);
	return err;
}

uint64_t control_unjudged(const struct control *control, const struct location *location)
{
	uint64_t all = 0;

	for (const struct thread *at = control->threads; at; at = at->next) {
		for (size_t i = 0; i < LOCATIONS_MAX; i++) {
			const struct slot *slot = &at->slots[i];
			uint64_t its = slot->location == location
					       ? kernel_breakpoint_unjudged(&slot->event)
					       : 0;

			all += its - (its && !at->stands);
		}
	}
	return all;
}

void control_remove_location(struct control *control, const struct location *location)
{
	struct location *mine = own(control, location);

	if (!--mine->users)
		remove_unused(control, mine);
}
