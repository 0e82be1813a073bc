// SPDX-License-Identifier: MIT
// The places that all threads stop at: one for whatever means it, armed in each thread.
#include "debugger/control/control.h"

#include <stdlib.h>

static void remove_unused(struct control *control, struct location *location)
{
	struct location **at = &control->locations;

	while (*at != location)
		at = &(*at)->next;
	*at = location->next;
	control->nr_locations--;
	for (struct thread *thread = control->threads; thread; thread = thread->next) {
		if (thread->stop.location == location)
			thread->stop.location = NULL;
		dc_error_destroy(thread_arm(thread, control->locations));
	}
	free(location);
}

struct dc_error *control_add_location(struct control *control, uint64_t addr,
				      enum kernel_breakpoint_kind kind, size_t size,
				      const struct location **ret)
{
	struct location *location = control->locations;
	struct dc_error *err = NULL;

	while (location &&
	       (location->addr != addr || location->kind != kind || location->size != size))
		location = location->next;
	if (location) {
		location->users++;
		*ret = location;
		return NULL;
	}
	if (control->nr_locations == LOCATIONS_MAX)
		return error_make(DC_REFUSED,
				  "all %d hardware breakpoints are in use (of four, one is kept "
				  "for steps)",
				  LOCATIONS_MAX);
	location = malloc(sizeof(*location));
	if (!location)
		return &dc_out_of_memory;
	*location = (struct location){
		.next = control->locations, .addr = addr, .kind = kind, .size = size, .users = 1
	};
	control->locations = location;
	control->nr_locations++;
	for (struct thread *thread = control->threads; thread && !err; thread = thread->next) {
		err = thread_arm(thread, control->locations);
		if (err && thread_is_end(err)) {
			dc_error_destroy(err);
			err = NULL;
		}
	}
	if (err) {
		remove_unused(control, location);
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
		free(location);
	}
	control->nr_locations = 0;
}

void control_remove_location(struct control *control, const struct location *location)
{
	struct location *mine = control->locations;

	while (mine != location)
		mine = mine->next;
	if (!--mine->users)
		remove_unused(control, mine);
}
