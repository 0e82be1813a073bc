// SPDX-License-Identifier: MIT
// The breakpoints that the client asked for, beside those of the library that stand for them. The
// session's worker owns them.
#ifndef DEBUGGER_FRONT_DAP_BREAKPOINTS_H
#define DEBUGGER_FRONT_DAP_BREAKPOINTS_H

#include "debugger/debugcall.h"

#include <jansson.h>

struct request;

// Each set is given as a whole, and replaces what was there.
enum breakpoint_set { SET_SOURCE, SET_FUNCTIONS, SET_INSTRUCTIONS, SET_EXCEPTIONS, SET_DATA };

struct breakpoint {
	struct breakpoint *next;
	enum breakpoint_set set;
	int id; // the client's name for it
	char *source; // SOURCE: the client's path
	json_t *asked; // as the client described it
	unsigned number; // the library's; 0: it is not set
	bool is_pending; // its place is not there: a library may bring it
	char *problem; // why it is not set, or pending
	char *file; // where it is, as the library says; NULL: not known
	int line;
	uint64_t addr;
	size_t nr_locations;
	bool condition_is_place; // its words are names of what is caught
	const char *log; // a log point's message; NULL: it is none
	uint64_t hits;
};

struct breakpoints {
	struct breakpoint *first;
	struct breakpoint *kept; // of a set that is being replaced, until their turn comes
	int last_id;
};
void breakpoints_clear(struct breakpoints *breakpoints);
struct breakpoint *breakpoints_find(const struct breakpoints *breakpoints, unsigned number);
bool breakpoints_any(const struct breakpoints *breakpoints); // that is set
// The library has it no more, and the client is told.
void breakpoint_is_gone(struct request *request, struct breakpoint *breakpoint);
// Sets it; code NAME: there is no such place.
struct dc_error *breakpoint_set(struct dc_session *session, struct breakpoint *breakpoint,
				const struct dc_breakpoint_options *options);

// Those of a set, and of a source, become those that are asked for.
struct dc_error *breakpoints_replace(struct request *request, struct dc_session *session,
				     enum breakpoint_set set, const char *source, json_t *asked);
// Libraries have come: those whose places were not there may find them.
void breakpoints_look_again(struct request *request, struct dc_session *session);
// Of the same program, begun again: each is set anew.
void breakpoints_renew(struct request *request, struct dc_session *session);

// A text that the client gave with it; NULL: none.
const char *breakpoint_text(const json_t *asked, const char *name);

// hits.c
bool breakpoint_is_hit_condition(const char *text);
// One more hit; false: the hit condition lets it go on.
bool breakpoint_hit(struct breakpoint *breakpoint);
// What a log point says of the thread, freed by the caller; NULL: no memory.
char *breakpoint_message(struct request *request, struct dc_session *session,
			 const struct breakpoint *breakpoint, pid_t thread);

#endif
