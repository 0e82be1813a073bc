// SPDX-License-Identifier: MIT
// Reads and writes as requests to the agent, which has the kernel find out what is there.
#include "debugger/inject/agent/agent_memory.h"

#include "debugger/base/cleanup.h"
#include "debugger/inject/agent/post.h"
#include "debugger/target/tracer.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

struct agent_memory {
	struct post post;
	struct memory_way way;
	pthread_mutex_t lock;
	bool is_lost; // it does not answer any more
};

// 0: nothing there can be reached, or nobody answers.
static size_t move_some(struct agent_memory *memory, uint64_t addr, char *buf, size_t n,
			bool is_write)
{
	enum { LIMIT_NS = 2000 * 1000 * 1000 };
	struct mailbox_slot *slot = memory->post.slot;
	uint32_t done;

	if (is_write)
		memcpy(slot->data, buf, n);
	slot->size = (uint32_t)n;
	slot->address = addr;
	slot->outcome = MAILBOX_NOTHING;
	post_ask(&memory->post, is_write ? MAILBOX_WRITE : MAILBOX_READ);
	if (!post_wait(&memory->post, tracer_now() + LIMIT_NS)) {
		memory->is_lost = true;
		return 0;
	}
	done = __atomic_load_n(&slot->value, __ATOMIC_RELAXED);
	if (slot->outcome != MAILBOX_RETURNED || done > n)
		return 0;
	if (!is_write)
		memcpy(buf, slot->data, done);
	return done;
}

static size_t move(void *arg, uint64_t addr, void *buf, size_t n, bool is_write)
{
	enum { PAGE = 4096 };
	struct agent_memory *memory = arg;
	size_t done = 0;

	pthread_mutex_lock(&memory->lock);
	while (done < n && !memory->is_lost) {
		size_t part = n - done < MAILBOX_DATA ? n - done : MAILBOX_DATA;
		size_t page = PAGE - (addr + done) % PAGE;
		size_t moved = move_some(memory, addr + done, (char *)buf + done, part, is_write);

		// Of what can be reached in part the kernel may tell nothing: up to a page, then.
		if (!moved && part > page)
			moved = move_some(memory, addr + done, (char *)buf + done, page, is_write);
		if (!moved)
			break;
		done += moved;
	}
	pthread_mutex_unlock(&memory->lock);
	return done;
}

// Threads end when another program is executed, but for the one that did so.
static bool is_gone(void *arg)
{
	struct agent_memory *memory = arg;
	char path[32];

	snprintf(path, sizeof(path), "task/%d", memory->post.tid);
	return faccessat(memory->post.process->proc_fd, path, F_OK, 0) < 0;
}

void agent_memory_close(struct agent_memory *memory)
{
	if (!memory)
		return;
	memory->post.process->way = NULL;
	post_close(&memory->post);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

struct dc_error *agent_memory_open(struct process *process, struct agent_memory **ret)
{
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	struct agent_memory *memory = calloc(1, sizeof(*memory));
	bool found = false;
	struct dc_error *err;

	*ret = NULL;
	if (!memory)
		return &dc_out_of_memory;
	err = maps_read(process, &maps);
	if (!err)
		err = post_open(process, &maps, &memory->post, &found);
	if (!err && found)
		err = post_take(&memory->post, 0);
	if (!err && found)
		err = post_compare_rights(&memory->post);
	if (err || !found) {
		if (found)
			post_close(&memory->post);
		free(memory);
		return err;
	}
	pthread_mutex_init(&memory->lock, NULL);
	memory->way = (struct memory_way){ .move = move, .is_gone = is_gone, .arg = memory };
	process->way = &memory->way;
	*ret = memory;
	return NULL;
}
