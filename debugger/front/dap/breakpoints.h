// SPDX-License-Identifier: MIT
// The breakpoints that the client asked for, beside those of the library that stand for them. The
// session's worker owns them.
#ifndef DEBUGGER_FRONT_DAP_BREAKPOINTS_H
#define DEBUGGER_FRONT_DAP_BREAKPOINTS_H

#include "debugger/debugcall.h"

#include <jansson.h>

struct request;

// Each set is given as a whole, and replaces what was there.
enum breakpoint_set { SET_SOURCE, SET_FUNCTIONS, SET_INSTRUCTIONS, SET_EXCEPTIONS };

struct breakpoint {
	struct breakpoint *next;
	enum breakpoint_set set;
	int id; // the client's name for it
	char *source; // SOURCE: the client's path
	json_t *asked; // as the client described it
	unsigned number; // the library's; 0: it is not set
	char *problem; // why not
	char *file; // where it is, as the library says; NULL: not known
	int line;
	uint64_t addr;
	size_t nr_locations;
	const char *log; // a log point's message; NULL: it is none
	uint64_t hits;
};

struct breakpoints {
	struct breakpoint *first;
	int last_id;
};
void breakpoints_clear(struct breakpoints *breakpoints);
struct breakpoint *breakpoints_find(const struct breakpoints *breakpoints, unsigned number);

// One more hit; false: the hit condition lets it go on.
bool breakpoint_hit(struct breakpoint *breakpoint);
// What a log point says of the thread, freed by the caller; NULL: no memory.
char *breakpoint_message(struct request *request, struct dc_session *session,
			 const struct breakpoint *breakpoint, pid_t thread);

#endif
