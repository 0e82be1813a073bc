// SPDX-License-Identifier: MIT
// What became of a callee, in words: the value that it panicked with, by the runtime's description of
// its type; where one is that does not come back.
#include "debugger/inject/go/go.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// As in internal/abi: the description of a type, and kinds.
enum {
	TYPE_KIND = 23,
	TYPE_NAME = 40, // offset of its name from runtime.types
	KIND_MASK = 31,
	KIND_BOOL = 1,
	KIND_INT = 2,
	KIND_INT8 = 3,
	KIND_INT64 = 6,
	KIND_UINT = 7,
	KIND_UINT64 = 11,
	KIND_UINTPTR = 12,
	KIND_STRING = 24,
	KIND_POINTER = 22,
};

enum { TEXT = 256 };

static void no_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static bool read_string(const struct go *go, uint64_t header, char *ret, size_t size)
{
	uint64_t words[2];
	size_t n;

	if (!go_read(go, header, words, sizeof(words)))
		return false;
	n = words[1] < size ? words[1] : size - 1;
	ret[0] = '\0';
	if (!go_read(go, words[0], ret, n))
		return false;
	ret[n] = '\0';
	no_controls(ret);
	return true;
}

// A byte of flags, the length in sevens of bits, the bytes; a star in front is not the type's own
// when the description says so.
static void read_name(const struct go *go, uint64_t type, char *ret, size_t size)
{
	enum { FLAGS = 20, EXTRA_STAR = 2 };
	unsigned char head[4], flags = 0;
	int32_t offset = 0;
	size_t n, at = 1;

	snprintf(ret, size, "a value of a type that is not known");
	if (!go->runtime.types || !go_read(go, type + TYPE_NAME, &offset, sizeof(offset)) ||
	    !go_read(go, type + FLAGS, &flags, 1) ||
	    !go_read(go, go->runtime.types + (uint64_t)offset, head, sizeof(head)))
		return;
	n = head[at] & 0x7f;
	if (head[at++] & 0x80)
		n |= (size_t)(head[at++] & 0x7f) << 7;
	if (n >= size)
		n = size - 1;
	if (flags & EXTRA_STAR && n) {
		at++;
		n--;
	}
	if (!go_read(go, go->runtime.types + (uint64_t)offset + at, ret, n))
		n = 0;
	ret[n] = '\0';
	no_controls(ret);
}

// runtime.boundsError: the index, the length, whether the index is signed, and what was done.
static bool describe_bounds(const struct go *go, uint64_t value, char *ret, size_t size)
{
	static const char *const formats[] = {
		"index out of range [%" PRId64 "] with length %" PRId64,
		"slice bounds out of range [:%" PRId64 "] with length %" PRId64,
		"slice bounds out of range [:%" PRId64 "] with capacity %" PRId64,
		"slice bounds out of range [%" PRId64 ":%" PRId64 "]",
		"slice bounds out of range [::%" PRId64 "] with length %" PRId64,
		"slice bounds out of range [::%" PRId64 "] with capacity %" PRId64,
		"slice bounds out of range [:%" PRId64 ":%" PRId64 "]",
		"slice bounds out of range [%" PRId64 ":%" PRId64 ":]",
		"cannot convert slice with length %" PRId64 " to array or pointer to array with "
		"length %" PRId64,
	};
	struct {
		int64_t x, y;
		uint8_t is_signed, code;
	} error;
	int n;

	if (!go_read(go, value, &error, sizeof(error)) ||
	    error.code >= sizeof(formats) / sizeof(*formats))
		return false;
	n = snprintf(ret, size, "runtime error: ");
	snprintf(ret + n, size - (size_t)n, formats[error.code], error.x, error.y);
	return true;
}

// The errors of the runtime and of the library whose texts lie in them.
static bool describe_error(const struct go *go, const char *name, uint64_t value, char *ret,
			   size_t size)
{
	static const struct {
		const char *name, *prefix;
	} known[] = {
		{ "runtime.errorString", "runtime error: " },
		{ "runtime.errorAddressString", "runtime error: " },
		{ "runtime.plainError", "" },
		{ "runtime.plainErrorString", "" },
		{ "*errors.errorString", "" },
		{ "*fmt.wrapError", "" },
		{ "*fmt.fmtError", "" },
	};

	if (!strcmp(name, "runtime.boundsError"))
		return describe_bounds(go, value, ret, size);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t n = strlen(known[i].prefix);

		if (strcmp(name, known[i].name) != 0)
			continue;
		memcpy(ret, known[i].prefix, n + 1);
		return read_string(go, value, ret + n, size - n);
	}
	return false;
}

// What is not a pointer lies behind one, as everything in an interface does.
static void describe(const struct go *go, uint64_t type, uint64_t value, char *ret, size_t size)
{
	char name[TEXT], text[TEXT];
	uint8_t kind = 0;
	int64_t number = 0;

	read_name(go, type, name, sizeof(name));
	go_read(go, type + TYPE_KIND, &kind, 1);
	kind &= KIND_MASK;
	if (describe_error(go, name, value, ret, size))
		return;
	if (kind == KIND_STRING && read_string(go, value, text, sizeof(text)))
		snprintf(ret, size, strcmp(name, "string") ? "%2$s(\"%1$s\")" : "%1$s", text, name);
	else if (kind >= KIND_INT && kind <= KIND_UINTPTR) {
		static const uint8_t sizes[] = { 8, 1, 2, 4, 8, 8, 1, 2, 4, 8, 8 };
		int bits = 64 - 8 * sizes[kind - KIND_INT];

		go_read(go, value, &number, sizes[kind - KIND_INT]);
		if (kind <= KIND_INT64)
			snprintf(ret, size, "%s(%" PRId64 ")", name,
				 (int64_t)((uint64_t)number << bits) >> bits);
		else
			snprintf(ret, size, "%s(%" PRIu64 ")", name, (uint64_t)number);
	} else if (kind == KIND_BOOL && go_read(go, value, &number, 1))
		snprintf(ret, size, "%s(%s)", name, number ? "true" : "false");
	else
		snprintf(ret, size, "%s at 0x%" PRIx64, name, value);
}

// ---- where ----------------------------------------------------------------------------------------

// What the runtime does to panic or to park is seen in the message.
static bool is_runtimes(const struct dc_frame *frame)
{
	return frame->function && (!strncmp(frame->function, "runtime.", 8) ||
				   !strncmp(frame->function, "debugCall", 9));
}

// pcs: return addresses but for the first, which is one only where the callee called.
static struct dc_error *with_frames(const struct go *go, struct dc_error *err, const uint64_t *pcs,
				    size_t n, bool called)
{
	bool is_exact = !called; // no call stands before it
	size_t skipped = 0;

	if (err == &dc_out_of_memory)
		return err;
	err->frames = calloc(n ?: 1, sizeof(*err->frames));
	if (!err->frames)
		return err;
	for (size_t i = 0; i < n; i++) {
		struct dc_frame frame = symbols_describe(go->symbols, pcs[i] - !is_exact);

		// What follows a fault is where that was.
		is_exact = frame.function && !strcmp(frame.function, "runtime.sigpanic");
		if (is_runtimes(&frame) && skipped == i) {
			skipped++;
			continue;
		}
		frame.pc = pcs[i];
		err->frames[err->nr_frames++] = frame;
	}
	return err;
}

// A function that calls nothing, or is at its first instructions, has made no frame: where it returns
// to is on top of the stack. In others that is hardly ever an address behind a call.
static bool is_behind_call(const struct go *go, uint64_t addr)
{
	enum { CALL = 0xe8, INDIRECT = 0xff, REG = 0x38, CALL_REG = 0x10, BEFORE = 5 };
	unsigned char code[BEFORE];

	return addr > BEFORE && go_read(go, addr - BEFORE, code, sizeof(code)) &&
	       (code[0] == CALL || (code[3] == INDIRECT && (code[4] & REG) == CALL_REG)) &&
	       symbols_describe(go->symbols, addr - 1).function;
}

struct dc_error *go_with_frames(const struct go *go, struct dc_error *err)
{
	uint64_t pcs[GO_PAD_FRAMES + 1], top = 0;
	uint32_t n = 0;

	if (!go_get(go, nr_frames, &n) || !n || n > GO_PAD_FRAMES || !go_get(go, top, &top) ||
	    !go_read(go, go_field(go, frames), pcs, n * sizeof(*pcs)))
		return err;
	if (is_behind_call(go, top)) {
		memmove(pcs + 2, pcs + 1, (n - 1) * sizeof(*pcs));
		pcs[1] = top;
		n++;
	}
	return with_frames(go, err, pcs, n, false);
}

// One that has parked: its last place is kept with it.
static struct dc_error *with_parked_frames(const struct go *go, struct dc_error *err, uint64_t g)
{
	const struct go_places *places = &go->runtime.places;
	uint64_t pcs[GO_PAD_FRAMES], bp = 0, words[2];
	size_t n = 0;

	if (!go_read(go, g + places->g_pc, &pcs[0], sizeof(pcs[0])) ||
	    !go_read(go, g + places->g_bp, &bp, sizeof(bp)))
		return err;
	for (n = 1; n < GO_PAD_FRAMES && bp && go_read(go, bp, words, sizeof(words)) &&
		    !go_range_has(&places->dispatch, words[1]);
	     n++) {
		pcs[n] = words[1];
		bp = words[0];
	}
	return with_frames(go, err, pcs, n, true);
}

struct dc_error *go_panicked(const struct go *go, uint64_t type, uint64_t value)
{
	char text[2 * TEXT];

	describe(go, type, value, text, sizeof(text));
	return go_with_frames(go,
			      error_make(DC_PANICKED, "%s panicked: %s", go->request->name, text));
}

struct dc_error *go_still_there(const struct go *go, struct dc_error *err)
{
	uint64_t callee = 0, goid = 0;

	if (!go_get(go, callee, &callee) || !callee ||
	    !go_read(go, callee + go->runtime.layout.at.g.id, &goid, sizeof(goid)))
		return err;
	if (go_status(go, callee) == GO_STATUS_WAITING)
		err = with_parked_frames(go, err, callee);
	return error_note(err, "goroutine %" PRIu64 " %s; it goes on, and then its caller does",
			  goid,
			  go_status(go, callee) == GO_STATUS_WAITING ? "waits in the runtime"
			  : go_status(go, callee) == GO_STATUS_SYSCALL
				  ? "is in a system call"
				  : "runs where it cannot be made to leave");
}
