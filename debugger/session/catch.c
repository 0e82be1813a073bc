// SPDX-License-Identifier: MIT
// Catching: the union of what users want is given to control, and each stop to whom it belongs.
#include "debugger/session/catch.h"

#include "debugger/arch/x86_64/syscall_names.h"
#include "debugger/control/syscalls.h"
#include "debugger/session/breakpoints.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>

// ---- what is wanted -------------------------------------------------------------------------------

static struct dc_error *add_syscall(struct catch *catch, const char *name)
{
	long nr = syscall_number(name);

	if (nr < 0 || nr >= SYSCALLS_MAX)
		return error_make(DC_NAME, "no system call '%s'", name);
	catch->syscalls.bits[nr / 64] |= UINT64_C(1) << nr % 64;
	return NULL;
}

static int signal_number(const char *name)
{
	if (isdigit((unsigned char)*name))
		return atoi(name);
	name += !strncasecmp(name, "SIG", 3) ? 3 : 0;
	for (int signo = 1; signo < NSIG; signo++) {
		const char *its = sigabbrev_np(signo);

		if (its && !strcasecmp(its, name))
			return signo;
	}
	return 0;
}

static struct dc_error *add_signal(struct catch *catch, const char *name)
{
	int signo = signal_number(name);

	if (signo <= 0 || signo >= NSIG)
		return error_make(DC_NAME, "no signal '%s'", name);
	catch->signals |= UINT64_C(1) << (signo - 1);
	return NULL;
}

static struct dc_error *each_word(struct catch *catch, const char *what,
				  struct dc_error *(*add)(struct catch *, const char *))
{
	_cleanup_free_ char *words = strdup(what);
	struct dc_error *err = words ? NULL : &dc_out_of_memory;
	char *rest = NULL;

	for (char *word = words ? strtok_r(words, " ,\t", &rest) : NULL; word && !err;
	     word = strtok_r(NULL, " ,\t", &rest))
		err = add(catch, word);
	return err;
}

static struct dc_error *fill(struct catch *catch, enum dc_breakpoint_kind kind, const char *what)
{
	bool all = !what[strspn(what, " ,\t")];

	switch (kind) {
	case DC_CATCH_SYSCALL:
		if (all)
			memset(&catch->syscalls, 0xff, sizeof(catch->syscalls));
		return each_word(catch, what, add_syscall);
	case DC_CATCH_SIGNAL:
		// The ones that debuggers use themselves, and those that end or stop it anyway.
		if (all)
			catch->signals = ~(UINT64_C(1) << (SIGTRAP - 1) | UINT64_C(1)
										  << (SIGINT - 1));
		return each_word(catch, what, add_signal);
	case DC_CATCH_LOAD:
		catch->library = all ? NULL : strdup(what);
		return all || catch->library ? NULL : &dc_out_of_memory;
	default:
		return all ? NULL
			   : error_make(DC_USAGE, "'%s' says nothing about what is caught", what);
	}
}

struct dc_error *catch_create(enum dc_breakpoint_kind kind, const char *what, struct catch **ret,
			      const char **place)
{
	struct catch *catch;
	struct dc_error *err;

	*ret = NULL;
	*place = kind == DC_CATCH_THROW	    ? "__cxa_throw"
		 : kind == DC_CATCH_RETHROW ? "__cxa_rethrow"
		 : kind == DC_CATCH_CATCH   ? "__cxa_begin_catch"
					    : NULL;
	if (*place)
		return NULL;
	catch = calloc(1, sizeof(*catch));
	if (!catch)
		return &dc_out_of_memory;
	err = fill(catch, kind, what ?: "");
	if (err) {
		catch_destroy(catch);
		return err;
	}
	*ret = catch;
	return NULL;
}

void catch_destroy(struct catch *catch)
{
	if (!catch)
		return;
	free(catch->library);
	free(catch);
}

struct dc_error *catch_apply(void *arg)
{
	struct dc_session *session = arg;
	struct syscall_set set = { 0 };
	uint64_t signals = session->stop_signals;
	bool forks = false;

	for (const struct breakpoint *at = session->breakpoints.first; at; at = at->next) {
		if (!at->catch || !at->is.enabled)
			continue;
		for (size_t i = 0; i < sizeof(set.bits) / sizeof(*set.bits); i++)
			set.bits[i] |= at->catch->syscalls.bits[i];
		signals |= at->catch->signals;
		forks |= at->is.kind == DC_CATCH_FORK || at->is.kind == DC_CATCH_VFORK;
	}
	session->control->stop_signals = signals;
	syscalls_catch(session->control, &set, forks);
	return NULL;
}

// ---- who wants it ---------------------------------------------------------------------------------

static bool wants(const struct breakpoint *breakpoint, const struct stop *stop)
{
	const struct catch *catch = breakpoint->catch;
	long nr = stop->syscall;

	switch (breakpoint->is.kind) {
	case DC_CATCH_SYSCALL:
		return stop->kind == STOP_SYSCALL && nr >= 0 && nr < SYSCALLS_MAX &&
		       catch->syscalls.bits[nr / 64] >> nr % 64 & 1;
	case DC_CATCH_SIGNAL:
		return stop->kind == STOP_SIGNAL && catch->signals >> (stop->info.si_signo - 1) & 1;
	case DC_CATCH_FORK: return stop->kind == STOP_FORK;
	case DC_CATCH_VFORK: return stop->kind == STOP_VFORK;
	case DC_CATCH_EXEC: return stop->kind == STOP_EXEC;
	default: return false;
	}
}

// Its hits are counted.
static bool takes(struct breakpoint *breakpoint)
{
	breakpoint->is.hits++;
	if (!breakpoint->is.ignore)
		return true;
	breakpoint->is.ignore--;
	return false;
}

struct breakpoint *catch_judge(struct dc_session *session, const struct thread *thread)
{
	struct breakpoint *ret = NULL;

	for (struct breakpoint *at = session->breakpoints.first; at; at = at->next) {
		if (at->catch && at->is.enabled &&
		    (!at->is.thread || at->is.thread == thread->tracee.tid) &&
		    wants(at, &thread->stop) && takes(at) && !ret)
			ret = at;
	}
	return ret;
}

// Those that were not there when somebody last looked, or any of them by a part of its name.
static bool is_new(const struct dc_session *session, const struct module *module)
{
	for (size_t i = 0; i < session->nr_modules_seen; i++) {
		if (session->modules_seen[i] == module->start)
			return false;
	}
	return true;
}

static bool has_come(const struct dc_session *session, const char *library)
{
	const struct module *const *modules;
	size_t n = symbols_modules(session->symbols, &modules);

	for (size_t i = 0; i < n; i++) {
		if (is_new(session, modules[i]) && (!library || strstr(modules[i]->name, library)))
			return true;
	}
	return false;
}

struct dc_error *catch_note_modules(struct dc_session *session)
{
	const struct module *const *modules;
	size_t n = symbols_modules(session->symbols, &modules);
	uint64_t *seen = calloc(n ?: 1, sizeof(*seen));

	if (!seen)
		return &dc_out_of_memory;
	for (size_t i = 0; i < n; i++)
		seen[i] = modules[i]->start;
	free(session->modules_seen);
	session->modules_seen = seen;
	session->nr_modules_seen = n;
	return NULL;
}

struct breakpoint *catch_judge_load(struct dc_session *session)
{
	struct breakpoint *ret = NULL;

	for (struct breakpoint *at = session->breakpoints.first; at; at = at->next) {
		if (at->catch && at->is.kind == DC_CATCH_LOAD && at->is.enabled &&
		    has_come(session, at->catch->library) && takes(at) && !ret)
			ret = at;
	}
	dc_error_destroy(catch_note_modules(session));
	return ret;
}
