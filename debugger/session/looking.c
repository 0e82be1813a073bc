// SPDX-License-Identifier: MIT
// What is in the process: memory, mappings, modules, symbols, instructions. Stops nothing.
#include "debugger/control/disassemble.h"
#include "debugger/session/session.h"
#include "debugger/symbols/source_lines.h"
#include "debugger/target/memory.h"

#include <string.h>

struct dc_error *dc_read_memory(struct dc_session *session, uint64_t addr, void *buf, size_t n,
				size_t *got)
{
	_turn_(session);

	*got = memory_read_some(session->process, addr, buf, n);
	if (*got || !n)
		return NULL;

	struct dc_error *err = memory_read(session->process, addr, buf, 1);

	// It was written to between the two looks.
	if (!err)
		*got = 1;
	return session_conclude(session, err);
}

struct dc_error *dc_write_memory(struct dc_session *session, uint64_t addr, const void *buf,
				 size_t n)
{
	_turn_(session);

	return n ? session_conclude(session, memory_write(session->process, addr, buf, n)) : NULL;
}

struct dc_error *dc_mappings(struct dc_session *session,
			     bool (*visit)(const struct dc_mapping *, void *), void *arg)
{
	_turn_(session);
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	struct dc_error *err = maps_read(session->process, &maps);

	for (size_t i = 0; !err && i < maps.n; i++) {
		const struct mapping *map = &maps.map[i];

		if (!visit(&(struct dc_mapping){ .start = map->start,
						 .end = map->end,
						 .offset = map->offset,
						 .readable = map->readable,
						 .writable = map->writable,
						 .executable = map->executable,
						 .shared = map->shared,
						 .path = map->path,
						 .deleted = map->deleted },
			   arg))
			break;
	}
	return session_conclude(session, err);
}

struct dc_error *dc_modules(struct dc_session *session,
			    bool (*visit)(const struct dc_module *, void *), void *arg)
{
	_turn_(session);
	const struct module *const *modules;
	struct dc_error *err;

	// One that runs may load more at any moment.
	session->stale = true;
	err = session_refresh(session);

	size_t n = symbols_modules(session->symbols, &modules);

	for (size_t i = 0; !err && i < n; i++) {
		if (!visit(&(struct dc_module){ .name = modules[i]->name,
						.path = modules[i]->path,
						.start = modules[i]->start,
						.end = modules[i]->end,
						.has_debug = modules[i]->has_dwarf,
						.problem = modules[i]->problem },
			   arg))
			break;
	}
	return session_conclude(session, err);
}

struct dc_error *dc_describe(struct dc_session *session, uint64_t addr, struct dc_frame *ret,
			     size_t max, size_t *n)
{
	_turn_(session);
	struct dc_error *err = session_refresh(session);

	*n = 0;
	if (err)
		return session_conclude(session, err);
	*n = symbols_describe_inlined(session->symbols, addr, ret, max);
	return NULL;
}

struct dc_error *dc_symbol_at(struct dc_session *session, uint64_t addr, struct dc_symbol *ret)
{
	_turn_(session);
	struct dc_error *err = session_refresh(session);

	*ret = (struct dc_symbol){ 0 };
	if (err)
		return session_conclude(session, err);
	if (!symbols_name_of(session->symbols, addr, &ret->name, &ret->offset))
		return NULL;

	uint64_t start, end;

	ret->module = symbols_describe(session->symbols, addr).module;
	if (symbols_function_bounds(session->symbols, addr, &start, &end) &&
	    start == addr - ret->offset)
		ret->size = end - start;
	return NULL;
}

struct dc_error *dc_disassemble(struct dc_session *session, uint64_t start, uint64_t end,
				bool (*visit)(const struct dc_instruction *, void *), void *arg)
{
	enum { CODE_MAX = 16 << 20 };
	_turn_(session);
	struct dc_error *err = session_refresh(session);

	if (!err && (end <= start || end - start > CODE_MAX))
		err = error_make(DC_USAGE, "from 0x%jx to 0x%jx is no range of code",
				 (uintmax_t)start, (uintmax_t)end);
	if (err)
		return session_conclude(session, err);

	size_t n = (size_t)(end - start);
	_cleanup_free_ unsigned char *code = malloc(n);

	if (!code)
		return &dc_out_of_memory;

	size_t got = memory_read_some(session->process, start, code, n);

	err = got ? disassemble(session->symbols, code, got, start, visit, arg)
		  : memory_read(session->process, start, code, 1);
	return session_conclude(session, err);
}
