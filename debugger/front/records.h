// SPDX-License-Identifier: MIT
// What a command says: records of named fields, begun and ended, which a renderer lays out as text
// or JSON. Handlers fill records and know no renderer; renderers read records and know no command.
#ifndef DEBUGGER_FRONT_RECORDS_H
#define DEBUGGER_FRONT_RECORDS_H

#include "debugger/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field {
	enum {
		FIELD_NONE, // known to be nothing: JSON's null
		FIELD_TEXT, // a target's bytes, not always UTF-8
		FIELD_INTEGER,
		FIELD_COUNT,
		FIELD_ADDRESS,
		FIELD_REAL,
		FIELD_FLAG,
		FIELD_GROUP,
		FIELD_LIST,
	} kind;
	const char *name; // NULL in a list
	union {
		const char *text;
		int64_t integer;
		uint64_t number; // COUNT, ADDRESS
		double real;
		bool flag;
		struct field *first; // GROUP, LIST
	};
	struct field *next, *parent;
};

struct record {
	const char *kind; // "result", "error", "thread", …: what it is about, and how text shows it
	struct field fields; // the outermost group
	struct arena arena; // of all of it but the record
	struct record *next;
};

typedef void renderer(const struct record *record, bool quiet);

// Where records go. One is open at a time.
struct records {
	renderer *render;
	bool quiet; // no notes, of an error only its first line
	bool numbered; // values are shown with their $N
	bool raw; // values by their members alone
	bool held; // records wait: a thread may be borrowed, and a full pipe must not hold it
	bool failed; // the open record is incomplete for want of memory
	bool lost; // so was one that is ended; said in the end
	bool unwanted; // the reader is gone, or the disk is full: a long listing may end
	int failure; // errno of the first write that failed; 0: none did
	const char *place; // "file:line" of the script that is run; NULL: none
	struct record *open;
	struct field *group, **end; // where the next field goes
	struct record *first, **last; // that wait
};
#define RECORDS_INIT(how, is_quiet)                  \
	{                                            \
		.render = (how), .quiet = (is_quiet) \
	}

// Kinds and names are literals; what else is given is copied. NULL is a text that says nothing.
void record_begin(struct records *out, const char *kind);
void record_none(struct records *out, const char *name);
void record_text(struct records *out, const char *name, const char *text);
void record_format(struct records *out, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void record_lines(struct records *out, const char *name,
		  const char *text); // a list; NULL: no field
void record_integer(struct records *out, const char *name, int64_t integer);
void record_count(struct records *out, const char *name, uint64_t count);
void record_address(struct records *out, const char *name, uint64_t addr);
void record_real(struct records *out, const char *name, double real);
void record_flag(struct records *out, const char *name, bool flag);
void record_group(struct records *out, const char *name); // fields up to record_close() are its
void record_list(struct records *out, const char *name); // likewise; they have no names
void record_close(struct records *out);
void record_end(struct records *out);

// Between the two nothing is written; the second also says that a record was lost.
void records_hold(struct records *out);
void records_release(struct records *out);
// In place of the second: what waits is handed on as a whole, a list, and then freed.
void records_hand_on(struct records *out, void (*take)(const struct record *first, void *arg),
		     void *arg);

// For renderers. A field that is not there, or is none, is NULL, and gives NULL, 0 or false.
const struct field *field_find(const struct field *group, const char *name);
const char *field_text(const struct field *group, const char *name);
int64_t field_integer(const struct field *group, const char *name);
uint64_t field_count(const struct field *group, const char *name);
uint64_t field_address(const struct field *group, const char *name);
double field_real(const struct field *group, const char *name);
bool field_flag(const struct field *group, const char *name);

renderer text_render, json_render;
// Of --color and NO_COLOR, for text.
extern bool text_is_coloured;
// All that one command of the shell has said, as one object.
struct json_command {
	const char *line; // as it was given
	int status;
};
void json_render_command(const struct record *first, void *command); // a struct json_command

#endif
