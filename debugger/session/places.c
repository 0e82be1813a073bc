// SPDX-License-Identifier: MIT
// Places in the source and in the code, and the frame that a scope means.
#include "debugger/arch/x86_64/registers.h"
#include "debugger/session/session.h"
#include "debugger/symbols/source_lines.h"

#include <string.h>

static struct dc_error *sample(struct dc_session *session, const struct dc_scope *from,
			       struct chosen_frame *ret)
{
	_cleanup_(scope_deinit) struct scope scope = { 0 };
	struct dc_error *err = scope_init(session, from, &scope);

	*ret = (struct chosen_frame){ 0 };
	scope.numbers = true;
	if (!err)
		err = session_refresh(session);
	if (!err)
		err = frame_sample(session, &scope, true, ret);
	if (!err && !ret->known)
		err = error_make(DC_REFUSED,
				 "thread %d runs: which frame it is in shows only when "
				 "it is stopped",
				 scope.thread ?: session->process->pid);
	return err;
}

struct dc_error *dc_place(struct dc_session *session, const struct dc_scope *scope,
			  struct dc_place *ret)
{
	_turn_(session);
	struct chosen_frame frame;
	struct dc_error *err = sample(session, scope, &frame);

	*ret = (struct dc_place){ 0 };
	if (err)
		return session_conclude(session, err);
	ret->thread = frame.tid;
	ret->index = frame.number;
	ret->frame = frame_describe(session, &frame);
	// A caller is described by its call, and stands behind it.
	ret->frame.pc = frame.frame.valid & (1U << REGISTER_PC) ? frame.frame.regs[REGISTER_PC]
								: frame.frame.pc;
	return NULL;
}

// ---- places by name -------------------------------------------------------------------------------

struct finding {
	struct dc_session *session;
	bool (*visit)(const struct dc_line *, void *);
	void *arg;
	size_t n;
	bool ended;
};

static void tell(struct finding *finding, uint64_t addr)
{
	struct dc_frame frames[32];
	struct line_block block = { 0 };
	bool has_block = symbols_line_block(finding->session->symbols, addr, &block);

	symbols_describe_inlined(finding->session->symbols, addr, frames, 32);
	finding->n++;
	finding->ended = finding->ended ||
			 !finding->visit(&(struct dc_line){ .addr = addr,
							    .end = has_block ? block.end : 0,
							    .function = frames[0].function,
							    .file = frames[0].file,
							    .line = frames[0].line },
					 finding->arg);
}

static struct dc_error *tell_places(struct finding *finding, const char *text)
{
	struct code_place *places;
	size_t n;
	struct dc_error *err = symbols_places(finding->session->symbols, text, &places, &n);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		tell(finding, places[i].addr);
	free(places);
	return NULL;
}

static struct dc_error *tell_entries(struct finding *finding, const char *file, const char *name)
{
	struct symbols *symbols = finding->session->symbols;
	const struct function *overloads;
	struct function function;
	size_t n = 0;
	struct dc_error *err;

	if (file) {
		err = symbols_function_in_file(symbols, file, name, &function);
	} else {
		err = symbols_overloads(symbols, name, &overloads, &n);
		for (size_t i = 0; !err && i < n; i++)
			tell(finding, overloads[i].addr);
		if (err || n)
			return err;
		err = symbols_lookup_function(symbols, NULL, name, &function);
	}
	if (err)
		return err;
	tell(finding, function.addr);
	return NULL;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static struct dc_error *find(struct finding *finding, const char *text,
			     const struct dc_scope *scope, bool entry)
{
	const char *colon = strrchr(text, ':');
	_cleanup_free_ char *whole = NULL;
	struct chosen_frame frame;

	if (is_number(text)) {
		struct dc_error *err = sample(finding->session, scope, &frame);

		if (err)
			return err;

		const char *file = frame_describe(finding->session, &frame).file;

		if (!file)
			return error_make(DC_NAME, "the frame is in no source file: say FILE:LINE");
		return asprintf(&whole, "%s:%s", file, text) < 0 ? &dc_out_of_memory
								 : tell_places(finding, whole);
	}
	// "ns::f" has colons of its own.
	bool has_file = colon && colon > text && colon[-1] != ':';

	if (*text == '*' || !entry || (has_file && is_number(colon + 1)))
		return tell_places(finding, text);
	if (!has_file)
		return tell_entries(finding, NULL, text);
	whole = strndup(text, (size_t)(colon - text));
	return whole ? tell_entries(finding, whole, colon + 1) : &dc_out_of_memory;
}

struct dc_error *dc_find_lines(struct dc_session *session, const char *text,
			       const struct dc_scope *scope, bool entry,
			       bool (*visit)(const struct dc_line *, void *), void *arg)
{
	_turn_(session);
	struct finding finding = { .session = session, .visit = visit, .arg = arg };
	struct dc_error *err = session_refresh(session);

	if (!err)
		err = find(&finding, text, scope, entry);
	if (!err && !finding.n)
		err = error_make(DC_NAME, "no code of \"%s\" in the program", text);
	return session_conclude(session, err);
}

static bool tell_line(const struct source_line *line, void *arg)
{
	struct finding *finding = arg;

	return finding->visit(
		&(struct dc_line){
			.addr = line->addr,
			.end = line->end,
			.function =
				symbols_describe(finding->session->symbols, line->addr).function,
			.file = line->file,
			.line = line->line },
		finding->arg);
}

struct dc_error *dc_lines(struct dc_session *session, uint64_t start, uint64_t end,
			  bool (*visit)(const struct dc_line *, void *), void *arg)
{
	_turn_(session);
	struct finding finding = { .session = session, .visit = visit, .arg = arg };
	struct dc_error *err = session_refresh(session);

	if (!err)
		err = symbols_lines_in(session->symbols, start, end, tell_line, &finding);
	return session_conclude(session, err);
}

// ---- names in force -------------------------------------------------------------------------------

static const char *const registers[] = { "rax", "rbx", "rcx", "rdx",	 "rsi",	   "rdi", "rbp",
					 "rsp", "r8",  "r9",  "r10",	 "r11",	   "r12", "r13",
					 "r14", "r15", "rip", "eflags",	 "cs",	   "ss",  "ds",
					 "es",	"fs",  "gs",  "fs_base", "gs_base" };

static struct dc_error *each_register(bool vectors, bool (*visit)(const char *, void *), void *arg)
{
	char name[16];

	for (size_t i = 0; !vectors && i < sizeof(registers) / sizeof(*registers); i++) {
		if (!visit(registers[i], arg))
			return NULL;
	}
	for (int i = 0; vectors && i < 8; i++) {
		snprintf(name, sizeof(name), "st%d", i);
		if (!visit(name, arg))
			return NULL;
	}
	for (int i = 0; vectors && i < 16; i++) {
		snprintf(name, sizeof(name), "xmm%d", i);
		if (!visit(name, arg))
			return NULL;
	}
	if (vectors)
		visit("mxcsr", arg);
	return NULL;
}

struct dc_error *dc_names(struct dc_session *session, enum dc_names which,
			  const struct dc_scope *scope, bool (*visit)(const char *name, void *),
			  void *arg)
{
	_turn_(session);
	struct chosen_frame frame;
	struct dc_error *err;

	if (which == DC_NAMES_REGISTERS || which == DC_NAMES_VECTOR_REGISTERS)
		return each_register(which == DC_NAMES_VECTOR_REGISTERS, visit, arg);
	err = sample(session, scope, &frame);
	if (!err)
		err = symbols_each_local(
			session->symbols, &frame.frame,
			which == DC_NAMES_ARGUMENTS ? NAMES_ARGUMENTS : NAMES_LOCALS, visit, arg);
	return session_conclude(session, err);
}

struct dc_error *dc_names_at(struct dc_session *session, enum dc_names which, uint64_t addr,
			     bool (*visit)(const char *name, void *), void *arg)
{
	_turn_(session);
	struct dc_error *err = session_refresh(session);

	if (!err)
		err = symbols_each_local(
			session->symbols, &(struct symbols_frame){ .pc = addr },
			which == DC_NAMES_ARGUMENTS ? NAMES_ARGUMENTS : NAMES_LOCALS, visit, arg);
	return session_conclude(session, err);
}
