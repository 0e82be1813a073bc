// SPDX-License-Identifier: MIT
// Memory and machine code, by address.
#include "debugger/front/dap/dap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_MAX = 1 << 20, INSTRUCTIONS_MAX = 4096, INSTRUCTION_MAX = 15 };

// ---- base64 ----

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *encode(const unsigned char *bytes, size_t n)
{
	char *text = malloc(4 * ((n + 2) / 3) + 1), *at = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16;

		if (i + 1 < n)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < n)
			group |= bytes[i + 2];
		*at++ = alphabet[group >> 18];
		*at++ = alphabet[group >> 12 & 63];
		*at++ = i + 1 < n ? alphabet[group >> 6 & 63] : '=';
		*at++ = i + 2 < n ? alphabet[group & 63] : '=';
	}
	*at = '\0';
	return text;
}

// The number of bytes; -1: it is not base64. bytes has room for 3 of every 4 characters.
static ssize_t decode(const char *text, unsigned char *bytes)
{
	size_t length = strlen(text), n = 0;

	if (length % 4)
		return -1;
	for (size_t i = 0; i < length; i += 4) {
		size_t pads = (text[i + 2] == '=') + (text[i + 3] == '=');
		uint32_t group = 0;

		if ((pads && i + 4 < length) || (text[i + 2] == '=' && text[i + 3] != '='))
			return -1;
		for (size_t k = 0; k < 4; k++) {
			const char *found = k < 4 - pads ? strchr(alphabet, text[i + k]) : alphabet;

			if (!found || !text[i + k])
				return -1;
			group = group << 6 | (uint32_t)(found - alphabet);
		}
		for (size_t k = 0; k < 3 - pads; k++)
			bytes[n++] = (unsigned char)(group >> (16 - 8 * k));
	}
	return (ssize_t)n;
}

// ---- Memory ----

static json_t *address(uint64_t addr)
{
	return json_sprintf("0x%" PRIx64, addr);
}

struct dc_error *dap_read_memory(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	uint64_t addr = argument_address(request, request->arguments, "memoryReference");
	int64_t offset = argument_integer(request, request->arguments, "offset", false, 0);
	int64_t count = argument_integer(request, request->arguments, "count", true, 0);
	unsigned char *bytes;
	size_t got = 0;

	if (count < 0)
		request_complain(request, "readMemory: 'count' is to be no less than 0");
	if (request->complaint)
		return NULL;
	if (count > READ_MAX)
		count = READ_MAX;
	addr += (uint64_t)offset;
	bytes = malloc((size_t)count + 1);
	if (!bytes) {
		request_complain(request, "out of memory");
		return NULL;
	}
	struct dc_error *err = count ? dc_read_memory(session, addr, bytes, (size_t)count, &got)
				     : NULL;
	char *text = err ? NULL : encode(bytes, got);

	free(bytes);
	// That nothing can be read is what was asked.
	if (err && err->code == DC_VALUE) {
		dc_error_destroy(err);
		err = NULL;
		got = 0;
	}
	if (err)
		return err;
	request->body = json_pack("{so ss}", "address", address(addr), "data", text ?: "");
	if ((int64_t)got < count)
		json_object_set_new(request->body, "unreadableBytes",
				    json_integer(count - (int64_t)got));
	free(text);
	return NULL;
}

struct dc_error *dap_write_memory(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	uint64_t addr = argument_address(request, request->arguments, "memoryReference");
	int64_t offset = argument_integer(request, request->arguments, "offset", false, 0);
	const char *data = argument_text(request, request->arguments, "data", true);
	unsigned char *bytes = data ? malloc(strlen(data) + 1) : NULL;
	ssize_t n = bytes ? decode(data, bytes) : -1;
	struct dc_error *err = NULL;

	if (data && n < 0)
		request_complain(request, "writeMemory: 'data' is to be base64");
	addr += (uint64_t)offset;
	if (!request->complaint)
		err = dc_write_memory(session, addr, bytes, (size_t)n);
	free(bytes);
	if (err || request->complaint)
		return err;
	request->body = json_pack("{sI}", "bytesWritten", (json_int_t)n);
	if (request->dap->knows_memory)
		request_tell(request, "memory",
			     json_pack("{so si sI}", "memoryReference", address(addr), "offset", 0,
				       "count", (json_int_t)n));
	return NULL;
}

// ---- Machine code ----

struct listing {
	struct request *request;
	struct dc_session *session;
	json_t *list;
	size_t max;
	bool symbols;
	uint64_t end;
	char *file; // of the last line
	int line;
};

static json_t *describe_instruction(struct listing *listing, uint64_t addr, const void *bytes,
				    size_t size, const char *text)
{
	json_t *json = json_pack("{so so}", "address", address(addr), "instruction",
				 json_text(text));
	char hex[3 * INSTRUCTION_MAX + 1] = "";
	const unsigned char *each = bytes;
	struct dc_frame frame;
	size_t n;

	for (size_t i = 0; i < size && i < INSTRUCTION_MAX; i++)
		sprintf(hex + 3 * i, "%02x ", each[i]);
	if (*hex)
		hex[strlen(hex) - 1] = '\0';
	if (*hex)
		json_object_set_new(json, "instructionBytes", json_string(hex));
	struct dc_error *err = dc_describe(listing->session, addr, &frame, 1, &n);

	if (!err && listing->symbols && frame.function)
		json_object_set_new(json, "symbol", json_text(frame.function));
	// Clients want it where it begins to be another.
	if (!err && frame.file &&
	    (frame.line != listing->line || !listing->file ||
	     strcmp(listing->file, frame.file) != 0)) {
		json_object_set_new(json, "location",
				    dap_source(listing->request->dap, frame.file));
		json_object_set_new(json, "line",
				    json_integer(frame.line - listing->request->dap->lines_from_0));
		free(listing->file);
		listing->file = strdup(frame.file);
		listing->line = frame.line;
	}
	dc_error_destroy(err);
	return json;
}

static bool add_instruction(const struct dc_instruction *instruction, void *arg)
{
	struct listing *listing = arg;
	char *text = NULL;

	if (json_array_size(listing->list) >= listing->max)
		return false;
	if (instruction->target_name &&
	    asprintf(&text, "%s <%s+%" PRIu64 ">", instruction->text, instruction->target_name,
		     instruction->target_offset) < 0)
		text = NULL;
	json_array_append_new(listing->list,
			      describe_instruction(listing, instruction->addr, instruction->bytes,
						   instruction->size, text ?: instruction->text));
	listing->end = instruction->addr + instruction->size;
	free(text);
	return true;
}

// Exactly so many: what cannot be read is a line for each byte.
static void pad(struct listing *listing, uint64_t addr)
{
	while (json_array_size(listing->list) < listing->max)
		json_array_append_new(listing->list, json_pack("{so ss ss}", "address",
							       address(addr++), "instruction", "??",
							       "presentationHint", "invalid"));
}

// The instructions before an address: from the beginning of its function on they are certain, and
// from any other place they are only likely.
static void list_before(struct listing *listing, uint64_t addr, size_t count)
{
	uint64_t start = addr > count * INSTRUCTION_MAX ? addr - count * INSTRUCTION_MAX : 0;
	struct dc_symbol symbol;
	struct dc_error *err = dc_symbol_at(listing->session, addr, &symbol);

	if (!err && symbol.name && symbol.offset < addr - start)
		start = addr - symbol.offset;
	dc_error_destroy(err);
	listing->max = SIZE_MAX;
	if (start < addr)
		dc_error_destroy(
			dc_disassemble(listing->session, start, addr, add_instruction, listing));
	// Those nearest to the address.
	while (json_array_size(listing->list) > count)
		json_array_remove(listing->list, 0);
	listing->max = count;
	json_t *invalid = json_array();

	for (size_t missing = count - json_array_size(listing->list); missing; missing--)
		json_array_append_new(invalid, json_pack("{so ss ss}", "address",
							 address(start - missing), "instruction",
							 "??", "presentationHint", "invalid"));
	json_array_extend(invalid, listing->list);
	json_decref(listing->list);
	listing->list = invalid;
}

struct dc_error *dap_disassemble(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	const json_t *arguments = request->arguments;
	uint64_t addr = argument_address(request, arguments, "memoryReference");
	int64_t offset = argument_integer(request, arguments, "offset", false, 0);
	int64_t skip = argument_integer(request, arguments, "instructionOffset", false, 0);
	int64_t count = argument_integer(request, arguments, "instructionCount", true, 0);
	struct listing listing = { .request = request,
				   .session = session,
				   .list = json_array(),
				   .symbols = argument_flag(request, arguments, "resolveSymbols",
							    false) };

	if (count < 0 || count > INSTRUCTIONS_MAX || skip < -INSTRUCTIONS_MAX ||
	    skip > INSTRUCTIONS_MAX)
		request_complain(request, "disassemble: at most %d instructions", INSTRUCTIONS_MAX);
	if (request->complaint) {
		json_decref(listing.list);
		return NULL;
	}
	addr += (uint64_t)offset;
	if (skip < 0)
		list_before(&listing, addr, (size_t)-skip);

	json_t *before = listing.list;
	size_t ahead = skip > 0 ? (size_t)skip : 0;

	listing.list = json_array();
	listing.end = addr;
	listing.max = ahead + (size_t)count;
	struct dc_error *err = dc_disassemble(session, addr, addr + listing.max * INSTRUCTION_MAX,
					      add_instruction, &listing);

	// Memory that cannot be read is no failure of the request.
	if (err && err->code == DC_VALUE) {
		dc_error_destroy(err);
		err = NULL;
	}
	pad(&listing, listing.end);
	for (; ahead; ahead--)
		json_array_remove(listing.list, 0);
	json_array_extend(before, listing.list);
	while (json_array_size(before) > (size_t)count)
		json_array_remove(before, json_array_size(before) - 1);
	json_decref(listing.list);
	free(listing.file);
	request->body = json_pack("{so}", "instructions", before);
	return err;
}
