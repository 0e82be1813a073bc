// SPDX-License-Identifier: MIT
// Threads and stacks, of a program that runs, too: nothing here stops one.
#include "debugger/front/dap/dap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- threads --------------------------------------------------------------------------------------

// Clients ask for all threads at every stop: the files of their names stay open, so that each is one
// system call.
struct named {
	int tid, fd; // -1: so many are not kept open
};

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

static int open_name(int tasks, int tid)
{
	char path[32];

	snprintf(path, sizeof(path), "%d/comm", tid);
	return openat(tasks, path, O_RDONLY | O_CLOEXEC);
}

// False: it has ended.
static bool read_name(int fd, char name[32])
{
	ssize_t n = fd >= 0 ? pread(fd, name, 31, 0) : -1;

	if (n > 0)
		name[n] = '\0';
	else
		snprintf(name, 32, "thread");
	name[strcspn(name, "\n")] = '\0';
	return n > 0;
}

static void close_name(struct named *thread)
{
	if (thread->fd >= 0)
		close(thread->fd);
	thread->fd = -1;
}

void dap_close_names(struct dap *dap)
{
	for (size_t i = 0; i < dap->nr_named; i++)
		close_name(&dap->named[i]);
	free(dap->named);
	dap->named = NULL;
	dap->nr_named = 0;
}

// The threads there are, by their numbers.
static struct named *read_tasks(DIR *dir, size_t *n)
{
	struct named *list = NULL;
	struct dirent *entry;
	size_t room = 0;

	*n = 0;
	while (dir && (entry = readdir(dir))) {
		int tid = atoi(entry->d_name);

		if (tid > 0 && *n == room) {
			struct named *more = reallocarray(list, 2 * room + 64, sizeof(*more));

			if (!more)
				break;
			list = more;
			room = 2 * room + 64;
		}
		if (tid > 0)
			list[(*n)++] = (struct named){ tid, -1 };
	}
	if (*n)
		qsort(list, *n, sizeof(*list), compare_named);
	return list;
}

// What is open already is handed on; what is left of those before has ended.
static void hand_on(struct dap *dap, struct named *list, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		while (k < dap->nr_named && dap->named[k].tid < list[i].tid)
			k++;
		if (k == dap->nr_named || dap->named[k].tid != list[i].tid)
			continue;
		list[i].fd = dap->named[k].fd;
		dap->named[k].fd = -1;
	}
	dap_close_names(dap);
	dap->named = list;
	dap->nr_named = n;
}

static void list_threads(struct dap *dap, json_t *threads)
{
	enum { OPEN_MAX = 256 };
	char path[32];
	DIR *dir;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/task", dap->pid);
	dir = opendir(path);

	struct named *list = read_tasks(dir, &n);

	hand_on(dap, list, n);
	for (size_t i = 0; i < n; i++) {
		struct named *thread = &list[i];
		char name[32];

		// Another may have its number by now.
		if (!read_name(thread->fd, name)) {
			close_name(thread);
			thread->fd = open_name(dirfd(dir), thread->tid);
			read_name(thread->fd, name);
		}
		json_array_append_new(
			threads, json_pack("{si so*}", "id", thread->tid, "name", json_text(name)));
		if (i >= OPEN_MAX)
			close_name(thread);
	}
	if (dir)
		closedir(dir);
}

// Of the kernel alone, so it is answered while a call runs; goroutines are the session's to tell.
struct dc_error *dap_threads(struct request *request)
{
	json_t *threads;

	if (request->dap->has_goroutines)
		return NULL;
	threads = json_array();
	list_threads(request->dap, threads);
	request->body = json_pack("{so}", "threads", threads);
	return NULL;
}

static bool list_goroutine(const struct dc_goroutine *goroutine, void *arg)
{
	char name[256];

	if (goroutine->is_system)
		return true;
	snprintf(name, sizeof(name), "goroutine %ju%s%s: %s%s%s", (uintmax_t)goroutine->id,
		 goroutine->label ? " " : "", goroutine->label ?: "", goroutine->status,
		 goroutine->wait_reason ? ", " : "", goroutine->wait_reason ?: "");
	json_array_append_new(arg,
			      json_pack("{sI so*}", "id", (json_int_t)(GOROUTINES + goroutine->id),
					"name", json_text(name)));
	return true;
}

struct dc_error *dap_threads_and_goroutines(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	json_t *threads = json_array();

	list_threads(request->dap, threads);

	struct dc_error *err = dc_goroutines(session, list_goroutine, threads);

	request->body = json_pack("{so}", "threads", threads);
	// A program whose goroutines cannot be read at this moment has threads all the same.
	if (err && err->code == DC_REFUSED) {
		dc_error_destroy(err);
		err = NULL;
	}
	return err;
}

// ---- Those that begin and end ----

static void tell_thread(struct dap *dap, pid_t thread, const char *reason)
{
	dap_event(dap, "thread", json_pack("{ss si}", "reason", reason, "threadId", thread));
}

void dap_tell_newborn(struct dap *dap)
{
	for (size_t i = 0; i < dap->nr_newborn; i++)
		tell_thread(dap, dap->newborn[i], "started");
	dap->nr_newborn = 0;
}

// One that ends at once is not told of: clients look at all threads for each that they hear of, and
// some programs make thousands a second.
void dap_thread_begins(struct dap *dap, pid_t thread, int64_t now_ns)
{
	enum { PATIENCE_NS = 50 * 1000 * 1000 };

	if (!dap->nr_newborn)
		dap->tell_newborn_ns = now_ns + PATIENCE_NS;
	dap->newborn[dap->nr_newborn++] = thread;
	if (dap->nr_newborn == NEWBORN_MAX)
		dap_tell_newborn(dap);
}

void dap_thread_ends(struct dap *dap, pid_t thread)
{
	for (size_t i = 0; i < dap->nr_newborn; i++) {
		if (dap->newborn[i] != thread)
			continue;
		dap->newborn[i] = dap->newborn[--dap->nr_newborn];
		return;
	}
	tell_thread(dap, thread, "exited");
}

// ---- stackTrace ----

static json_t *describe_frame(struct request *request, const struct dc_stack *stack, bool stands,
			      const struct dc_stack_frame *frame, unsigned index)
{
	struct dap *dap = request->dap;
	const struct reference reference = {
		.kind = REFERENCE_FRAME,
		.frame = { stack->thread, stack->goroutine, index, frame->at.pc, stands },
	};
	char name[512];
	int line = frame->at.file ? frame->at.line - dap->lines_from_0 : 0;

	if (frame->at.function)
		snprintf(name, sizeof(name), "%s%s", frame->at.function,
			 frame->is_signal ? " (signal)" : "");
	else
		snprintf(name, sizeof(name), "0x%jx%s%s", (uintmax_t)frame->at.pc,
			 frame->at.module ? " in " : "", frame->at.module ?: "");
	return json_pack("{si so* so* si si so*}", "id",
			 references_add(dap->references, &reference), "name", json_text(name),
			 "source", dap_source(dap, frame->at.file), "line", line, "column",
			 dap->columns_from_0 ? 0 : 1, "instructionPointerReference",
			 json_sprintf("0x%jx", (uintmax_t)frame->at.pc));
}

static void add_frames(struct request *request, const struct dc_stack *stack, bool stands,
		       int64_t start, int64_t levels, json_t *frames)
{
	unsigned index = 0;

	for (size_t i = 0; i < stack->nr_frames; i++) {
		const struct dc_stack_frame *frame = &stack->frames[i];

		if ((int64_t)i >= start && (!levels || (int64_t)i - start < levels)) {
			json_t *json = describe_frame(request, stack, stands, frame, index);

			if (frame->is_inlined || !frame->at.file)
				json_object_set_new(
					json, "presentationHint",
					json_string(frame->at.file ? "normal" : "subtle"));
			json_array_append_new(frames, json);
		}
		index++;
	}
}

static void show_frames(struct request *request, const struct dc_stack *stack, bool stands,
			int64_t start, int64_t levels)
{
	json_t *frames = json_array();

	add_frames(request, stack, stands, start, levels, frames);
	request->body = json_pack("{so sI}", "stackFrames", frames, "totalFrames",
				  (json_int_t)stack->nr_frames);
}

// *stands false: it runs, or nobody follows it.
static struct dc_error *stack_of_standing(struct request *request, struct dc_session *session,
					  pid_t thread, int64_t start, int64_t levels, bool *stands)
{
	struct dc_stack stack;
	struct dc_error *err = dc_frames(session, thread, &stack);

	*stands = !err || err->code != DC_REFUSED;
	if (!*stands) {
		dc_error_destroy(err);
		return NULL;
	}
	if (err)
		return err;
	show_frames(request, &stack, true, start, levels);
	dc_stack_deinit(&stack);
	return NULL;
}

static const struct dc_stack *find_stack(const struct dc_stacks *stacks, pid_t thread,
					 uint64_t goroutine)
{
	for (size_t i = 0; i < stacks->nr_stacks; i++) {
		const struct dc_stack *stack = &stacks->stacks[i];

		if (thread ? stack->thread == thread : stack->goroutine == goroutine)
			return stack;
	}
	return NULL;
}

struct dc_error *dap_stack_trace(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	const json_t *arguments = request->arguments;
	int64_t id = argument_integer(request, arguments, "threadId", true, 0);
	int64_t start = argument_integer(request, arguments, "startFrame", false, 0);
	int64_t levels = argument_integer(request, arguments, "levels", false, 0);
	const struct dc_stacks_options options = { .thread = id < GOROUTINES ? (pid_t)id : 0 };
	uint64_t goroutine = id >= GOROUTINES ? (uint64_t)(id - GOROUTINES) : 0;
	struct dc_stacks stacks;
	struct dc_error *err = NULL;
	bool stands = false;

	if (id <= 0)
		request_complain(request, "there is no thread %jd", (intmax_t)id);
	if (start < 0 || levels < 0)
		request_complain(request, "frames are counted from 0");
	if (request->complaint)
		return NULL;
	if (options.thread)
		err = stack_of_standing(request, session, options.thread, start, levels, &stands);
	if (err || stands)
		return err;
	err = dc_stacks(session, &options, &stacks);
	if (err)
		return err;

	const struct dc_stack *stack = find_stack(&stacks, options.thread, goroutine);

	if (stack && stack->how) {
		show_frames(request, stack, false, start, levels);
	} else {
		request_complain(request, "%s",
				 stack ? stack->why ?: "the stack cannot be read"
				       : "there is no such thread");
	}
	dc_stacks_deinit(&stacks);
	return NULL;
}
