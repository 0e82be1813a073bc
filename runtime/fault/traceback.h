// SPDX-License-Identifier: MIT
// Stacks as text. One trace at a time: its memory is static, because who prints may have no other.
#ifndef RUNTIME_FAULT_TRACEBACK_H
#define RUNTIME_FAULT_TRACEBACK_H

#include "runtime/fault/image.h"
#include "runtime/fault/unwind.h"

struct g;
struct m;

// Text goes to a file descriptor in pieces, or to memory until that is full.
struct sink {
	char *buf;
	size_t size, len;
	int fd; // -1: memory
};

gort__hidden void gort__emit(struct sink *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
gort__hidden void gort__sink_flush(struct sink *out);

enum { TRACE_ROWS = 256, TRACE_PLACES = 256, TRACE_SEEN = 1024, TRACE_TEXT = 128 };

struct trace {
	struct sink out;
	int64_t now; // gort_now() when it began
	bool internals; // also show what the runtime calls inside itself
	struct unwind_row rows[TRACE_ROWS];
	struct traced {
		uint64_t pc, lookup;
		bool printed, internal;
		uint8_t len;
		char text[TRACE_TEXT];
	} places[TRACE_PLACES]; // remembered
	struct seen {
		uint64_t pc, lookup;
	} seen[TRACE_SEEN]; // every different place printed, for the symboliser
	unsigned nseen;
};

// The frames from u on, one a line. False when there are none but the runtime's own.
gort__hidden bool gort__trace_frames(struct trace *t, struct unwind *u);
// The line "goroutine ID [...]:".
gort__hidden void gort__trace_header(struct trace *t, const struct g *g);
gort__hidden void gort__trace_creator(struct trace *t, const struct g *g);
// A goroutine and all about it. regs: where it stands, NULL for what its parking left; it says by
// itself when neither can be had.
gort__hidden void gort__trace_goroutine(struct trace *t, const struct g *g,
					const struct unwind_regs *regs);

// The trace of the living, for one at a time: its memory is forgotten, then its lock is held until
// it is given back.
gort__hidden struct trace *gort__trace_take(void);
gort__hidden void gort__trace_give(void);
// Every living goroutine of the program but self; regs as for gort__trace_goroutine. The world is
// stopped.
typedef void gort__trace_visit(struct trace *t, const struct g *g, const struct unwind_regs *regs,
			       void *arg);
gort__hidden void gort__trace_others(struct trace *t, const struct g *self,
				     gort__trace_visit *visit, void *arg);
// Goes to where g stands. False: that cannot be had.
gort__hidden bool gort__trace_begin(struct unwind *u, const struct g *g,
				    const struct unwind_regs *regs);
// True for a frame of what the runtime calls inside itself, when t leaves those out.
gort__hidden bool gort__trace_hides(struct trace *t, uint64_t pc, uint64_t lookup);

// Where memory may be read when walking from regs: g's stack and the M's signal stack.
gort__hidden void gort__unwind_begin(struct unwind *u, const struct unwind_regs *regs,
				     const struct g *g, const struct m *m);

// True for addresses in the runtime's own code.
gort__hidden bool gort__in_runtime_text(uint64_t pc);

#endif
