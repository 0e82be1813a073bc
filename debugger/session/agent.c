// SPDX-License-Identifier: MIT
// Bringing an agent into a process that was started without, on its user's word, and putting one to
// sleep.
#include "debugger/inject/agent/post.h"
#include "debugger/session/session.h"
#include "debugger/target/memory.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LIBRARY "libdebugcall-agent.so"

// ---- where it may not be ------------------------------------------------------------------------

static struct dc_error *read_auxiliary(const struct process *process, bool *is_static,
				       bool *is_secure)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	struct dc_error *err = process_read_file(process, "auxv", &text, &size);

	*is_static = true;
	*is_secure = false;
	for (size_t i = 0; !err && i + sizeof(Elf64_auxv_t) <= size; i += sizeof(Elf64_auxv_t)) {
		Elf64_auxv_t entry;

		memcpy(&entry, text + i, sizeof(entry));
		if (entry.a_type == AT_BASE && entry.a_un.a_val)
			*is_static = false;
		if (entry.a_type == AT_SECURE && entry.a_un.a_val)
			*is_secure = true;
	}
	return err;
}

static const char *find_sanitizer(struct symbols *symbols)
{
	static const char *const names[] = { "__asan_init", "__tsan_init", "__msan_init",
					     "__hwasan_init" };
	struct function function;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (symbols_named_function(symbols, names[i], &function))
			return function.module->name;
	return NULL;
}

static bool has_glibc(struct symbols *symbols)
{
	const struct module *const *modules;
	size_t n = symbols_modules(symbols, &modules);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(modules[i]->name, "libc.so.6"))
			return true;
	return false;
}

static struct dc_error *judge(struct dc_session *session)
{
	const struct process *process = session->process;
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	bool is_static, is_secure;
	const char *sanitizer;
	struct dc_error *err = read_auxiliary(process, &is_static, &is_secure);

	if (!err)
		err = maps_read(process, &maps);
	if (err)
		return err;
	if (post_is_there(&maps))
		return error_make(DC_REFUSED, "process %d has an agent already", process->pid);
	if (is_static)
		return error_make(
			DC_REFUSED,
			"process %d (%s) is statically linked: what it would load libraries "
			"with does not work there",
			process->pid, process->name);
	if (is_secure)
		return error_make(DC_REFUSED,
				  "process %d (%s) was started with more rights than its user has "
				  "(set-uid): others would call functions with them",
				  process->pid, process->name);
	if (!has_glibc(session->symbols))
		return error_make(DC_REFUSED,
				  "process %d (%s) has another C library than the agent",
				  process->pid, process->name);
	sanitizer = find_sanitizer(session->symbols);
	if (sanitizer)
		return error_make(
			DC_REFUSED,
			"process %d (%s) runs under a sanitizer (%s), which takes what is "
			"loaded late for a fault",
			process->pid, process->name, sanitizer);
	return NULL;
}

// ---- the library --------------------------------------------------------------------------------

// Beside the program, or where an installed one has its libraries.
static struct dc_error *find_library(const char *named, char path[PATH_MAX])
{
	static const char *const places[] = { LIBRARY, "../lib/" LIBRARY, "../lib/" LIBRARY ".0",
					      "../lib/x86_64-linux-gnu/" LIBRARY ".0" };
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (named) {
		if (realpath(named, path))
			return NULL;
		return error_errno(errno, "%s", named);
	}
	program[n > 0 ? n : 0] = '\0';
	if (strrchr(program, '/'))
		strrchr(program, '/')[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		char place[PATH_MAX];

		if (strlen(program) + strlen(places[i]) >= sizeof(place))
			continue;
		stpcpy(stpcpy(place, program), places[i]);
		if (realpath(place, path))
			return NULL;
	}
	return error_make(DC_USAGE, "there is no %s beside debugcall; name it", LIBRARY);
}

// The same file under the same name there: not so in another mount namespace, or a chroot.
static bool is_seen_by(const struct process *process, const char *path)
{
	char there[PATH_MAX + 8];
	struct stat ours, theirs;

	snprintf(there, sizeof(there), "root%s", path);
	return stat(path, &ours) == 0 && fstatat(process->proc_fd, there, &theirs, 0) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

// ---- loading it ---------------------------------------------------------------------------------

struct loading {
	struct dc_session *session;
	const struct dc_call_options *options;
	struct dc_injection *ret;
};

// A call in the target that gives a number or an address.
static struct dc_error *call(const struct loading *loading, const char *text, int64_t *ret)
{
	struct dc_expression *expression = NULL;
	struct dc_result result = { 0 };
	struct dc_error *err = dc_parse(loading->session, text, NULL, &expression);

	*ret = 0;
	if (!err)
		err = dc_evaluate(loading->session, expression, loading->options, &result);
	if (!err)
		memcpy(ret, result.value->bytes,
		       result.value->type.size < sizeof(*ret) ? result.value->type.size
							      : sizeof(*ret));
	loading->ret->pause_ns += result.pause_ns;
	loading->ret->literals_left += result.literals_left;
	dc_result_deinit(&result);
	dc_expression_destroy(expression);
	return err;
}

static struct dc_error *copy(int from, int to)
{
	char buffer[16 * 1024];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)n) != n)
			return error_errno(errno, "cannot write into the target's memory file");
	return n < 0 ? error_errno(errno, "cannot read " LIBRARY) : NULL;
}

// A file in the target's memory, which needs no name that it can see.
static struct dc_error *bring(const struct loading *loading, const char *path, int64_t *fd)
{
	char there[32];
	struct dc_error *err = call(loading,
				    "((int (*)(const char *, unsigned)) memfd_create)"
				    "(\"" LIBRARY "\", 1)",
				    fd);

	if (err)
		return err;
	*fd = (int)*fd;
	if (*fd < 0)
		return error_make(DC_REFUSED, "process %d may not make a memory file",
				  loading->session->process->pid);
	snprintf(there, sizeof(there), "fd/%d", (int)*fd);

	_cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int to = process_openat(loading->session->process, there, O_WRONLY);

	if (from < 0 || to < 0)
		return error_errno(errno, "cannot fill the target's memory file");
	return copy(from, to);
}

static struct dc_error *explain(const struct loading *loading, const char *path)
{
	char text[256] = "";
	int64_t addr;
	struct dc_error *err = call(loading, "((char *(*)(void)) dlerror)()", &addr);

	dc_error_destroy(err);
	if (!err && addr)
		text[memory_read_some(loading->session->process, (uint64_t)addr, text,
				      sizeof(text) - 1)] = '\0';
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return error_make(DC_REFUSED, "process %d cannot load %s%s%s",
			  loading->session->process->pid, path, *text ? ": " : "", text);
}

static struct dc_error *load(const struct loading *loading, const char *path)
{
	char text[PATH_MAX + 128];
	int64_t handle;
	struct dc_error *err;

	for (const char *c = path; *c; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
			return error_make(DC_USAGE, "%s cannot be written in an expression", path);
	snprintf(text, sizeof(text), "((void *(*)(const char *, int)) dlopen)(\"%s\", 2)", path);
	err = call(loading, text, &handle);
	return err || handle ? err : explain(loading, path);
}

static struct dc_error *load_from_memory(const struct loading *loading, const char *path)
{
	char text[64];
	int64_t fd = -1, ignored;
	struct dc_error *err = bring(loading, path, &fd);

	loading->ret->is_from_memory = true;
	if (!err) {
		snprintf(text, sizeof(text), "/proc/self/fd/%d", (int)fd);
		err = load(loading, text);
	}
	if (fd >= 0) {
		snprintf(text, sizeof(text), "((int (*)(int)) close)(%d)", (int)fd);
		dc_error_destroy(call(loading, text, &ignored));
	}
	return err;
}

// It has begun its work.
static struct dc_error *wait_until_open(struct dc_session *session)
{
	enum { LIMIT_NS = 1000 * 1000 * 1000, LOOK_NS = 1000 * 1000 };
	int64_t limit = tracer_now() + LIMIT_NS;

	for (;;) {
		_cleanup_(maps_deinit) struct maps maps = { 0 };
		struct dc_error *err = maps_read(session->process, &maps);
		struct post post = { .fd = -1 };
		bool found = false;

		if (!err)
			err = post_open(session->process, &maps, &post, &found);
		if (!err && found && post_is_open(&post)) {
			post_close(&post);
			return NULL;
		}
		post_close(&post);
		if (tracer_now() > limit)
			return err
				       ?: error_make(
						  DC_REFUSED,
						  "the agent was loaded into process %d, and does "
						  "not begin its work",
						  session->process->pid);
		dc_error_destroy(err);
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
	}
}

struct dc_error *dc_inject(struct dc_session *session, const char *library,
			   const struct dc_call_options *options, struct dc_injection *ret)
{
	_turn_(session);
	const struct dc_call_options usual = options_or_usual(options);
	const struct loading loading = { session, &usual, ret };
	char path[PATH_MAX];
	struct dc_error *err = session_look(session);

	*ret = (struct dc_injection){ 0 };
	if (!err)
		err = judge(session);
	if (!err)
		err = find_library(library, path);
	if (err)
		return session_conclude(session, err);
	err = is_seen_by(session->process, path) ? load(&loading, path)
						 : load_from_memory(&loading, path);
	session->stale = true;
	return err ?: wait_until_open(session);
}

struct dc_error *dc_eject(struct dc_session *session)
{
	_turn_(session);
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	struct dc_error *err = maps_read(session->process, &maps);
	struct post post = { .fd = -1 };
	bool found = false;

	if (!err)
		err = post_open(session->process, &maps, &post, &found);
	if (!err && !found)
		err = error_make(DC_REFUSED, "process %d has no agent", session->process->pid);
	if (!err)
		err = post_put_to_sleep(&post);
	post_close(&post);
	return err;
}
