// SPDX-License-Identifier: MIT
// The wire to a client of the Debug Adapter Protocol: messages of JSON behind a Content-Length.
// A thread of its own reads, so that what comes is seen whatever else waits.
#ifndef DEBUGGER_FRONT_DAP_WIRE_H
#define DEBUGGER_FRONT_DAP_WIRE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct message {
	enum {
		MESSAGE_JSON,
		MESSAGE_BAD, // no JSON; the next may be
		MESSAGE_BROKEN, // no frame: there will be no other
		MESSAGE_END, // of input
	} kind;
	json_t *json;
	char complaint[160]; // BAD, BROKEN
	struct message *next;
};
void message_destroy(struct message *message); // NULL is fine

struct wire;
// log: both directions are written to it; NULL: they are not. NULL: no memory, or no thread.
struct wire *wire_open(int in, int out, FILE *log);
void wire_close(struct wire *wire); // closes neither descriptor; NULL is fine
int wire_fd(const struct wire *wire); // readable when there may be a message
struct message *wire_next(struct wire *wire); // NULL: none now
bool wire_send(struct wire *wire, const json_t *json); // false: the client is gone

#endif
