// SPDX-License-Identifier: MIT
// A BPF task iterator that writes every thread's registers and run counters, with the offsets that
// this kernel's own types give.
#include "debugger/target/bpf.h"

#include "debugger/arch/x86_64/registers.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/bpf_program.h"
#include "debugger/target/permission.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

// What the program writes for each thread. The order of reading matters: the counters before the
// registers, so that a thread that runs in between is told by the next read.
struct written {
	uint64_t voluntary, forced, arrivals, runtime, execs;
	uint64_t fs_base, gs_base;
	uint64_t name[2];
	uint32_t tid, tgid, on_cpu, state, exit_state, cs;
	uint64_t regs[21]; // as struct pt_regs has them
};
enum { PT_CS = 17, PT_SS = 20, PT_REGS = 21 };

struct bpf_threads {
	int program, link;
	pid_t pid;
};

// One field of struct task_struct and its place in what is written.
struct source {
	const char *path; // members, separated by dots
	const char *older; // how earlier kernels name it; NULL: as now
	uint16_t to;
	uint8_t size;
	bool is_optional; // zero where the kernel was built without it
	uint8_t from; // offset in the member
};
#define FIELD(field) offsetof(struct written, field), sizeof(((struct written *)0)->field)
static const struct source sources[] = {
	{ "nvcsw", NULL, FIELD(voluntary), false, 0 },
	{ "nivcsw", NULL, FIELD(forced), false, 0 },
	{ "sched_info.pcount", NULL, FIELD(arrivals), true, 0 },
	{ "se.sum_exec_runtime", NULL, FIELD(runtime), false, 0 },
	{ "self_exec_id", NULL, FIELD(execs), true, 0 },
	{ "on_cpu", NULL, FIELD(on_cpu), false, 0 },
	{ "__state", "state", FIELD(state), false, 0 },
	{ "exit_state", NULL, FIELD(exit_state), false, 0 },
	{ "thread.fsbase", NULL, FIELD(fs_base), true, 0 },
	{ "thread.gsbase", NULL, FIELD(gs_base), true, 0 },
	{ "pid", NULL, FIELD(tid), false, 0 },
	{ "comm", NULL, FIELD(name[0]), false, 0 },
	{ "comm", NULL, FIELD(name[1]), false, 8 },
};

static uint8_t width(size_t size)
{
	return size == 8 ? BPF_DW : size == 4 ? BPF_W : BPF_H;
}

// To the record, which lies on the program's stack.
static void put_store(struct bpf_program *program, size_t size, size_t to, int from)
{
	bpf_put(program, BPF_STX | BPF_MEM | width(size), BPF_REG_10, from,
		(int)to - (int)sizeof(struct written), 0);
}

static const struct btf_type *plain_type(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && btf_is_mod(type))
		type = btf__type_by_id(btf, type->type);
	return type;
}

// The offset of a member, also one of an unnamed member; -1: there is none.
static int64_t member(const struct btf *btf, const struct btf_type *of, const char *name,
		      size_t length, const struct btf_type **ret)
{
	for (uint16_t i = 0; of && btf_is_composite(of) && i < btf_vlen(of); i++) {
		const struct btf_member *at = &btf_members(of)[i];
		const char *its = btf__name_by_offset(btf, at->name_off);
		const struct btf_type *type = plain_type(btf, at->type);
		int64_t base = btf_member_bit_offset(of, i) / 8, offset;

		if (its && strlen(its) == length && !memcmp(its, name, length)) {
			*ret = type;
			return base;
		}
		if (its && *its)
			continue;
		offset = member(btf, type, name, length, ret);
		if (offset >= 0)
			return base + offset;
	}
	return -1;
}

static int64_t offset_of(const struct btf *btf, const struct btf_type *type, const char *path)
{
	int64_t offset = 0;

	for (;;) {
		size_t length = strcspn(path, ".");
		int64_t more = member(btf, type, path, length, &type);

		if (more < 0 || offset + more > INT16_MAX)
			return -1;
		offset += more;
		if (!path[length])
			return offset;
		path += length + 1;
	}
}

static struct dc_error *refuse(const char *what)
{
	return error_make(DC_REFUSED, "%s", what);
}

// Fills R6 with the meta, R7 with the thread, and ends for those of other processes.
static struct dc_error *assemble(const struct btf *btf, pid_t pid, struct bpf_program *program)
{
	int32_t task_id = btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT);
	const struct btf_type *task = task_id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)task_id);
	int64_t tgid = task ? offset_of(btf, task, "tgid") : -1;
	size_t ends[3], nr_ends = 0;

	if (tgid < 0)
		return refuse("the kernel's types do not tell what a thread is");
	bpf_put(program, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_6, BPF_REG_1, 0, 0);
	bpf_put(program, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_7, BPF_REG_1, 8, 0);
	ends[nr_ends++] = bpf_put(program, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_7, 0, 0, 0);
	bpf_put(program, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_7, (int)tgid, 0);
	ends[nr_ends++] = bpf_put(program, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 0, pid);
	put_store(program, 4, offsetof(struct written, tgid), BPF_REG_0);
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		const struct source *source = &sources[i];
		int64_t offset = offset_of(btf, task, source->path);

		if (offset < 0 && source->older)
			offset = offset_of(btf, task, source->older);
		if (offset < 0 && !source->is_optional)
			return refuse("the kernel's types lack a part of a thread");
		if (offset < 0)
			bpf_put(program, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
		else
			bpf_put(program, BPF_LDX | BPF_MEM | width(source->size), BPF_REG_0,
				BPF_REG_7, (int)offset + source->from, 0);
		put_store(program, source->size, source->to, BPF_REG_0);
	}
	bpf_put(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_7, 0, 0);
	bpf_put(program, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_task_pt_regs);
	bpf_put(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_8, BPF_REG_0, 0, 0);
	for (size_t i = 0; i < PT_REGS; i++) {
		// What lies above a segment's 16 bits is another's.
		bool is_segment = i == PT_CS || i == PT_SS;

		bpf_put(program, BPF_LDX | BPF_MEM | (is_segment ? BPF_H : BPF_DW), BPF_REG_0,
			BPF_REG_8, (int)i * 8, 0);
		put_store(program, 8, offsetof(struct written, regs) + i * 8, BPF_REG_0);
		if (i == PT_CS)
			put_store(program, 4, offsetof(struct written, cs), BPF_REG_0);
	}
	bpf_put(program, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_6, 0, 0);
	bpf_put(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0);
	bpf_put(program, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0,
		-(int)sizeof(struct written));
	bpf_put(program, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, sizeof(struct written));
	bpf_put(program, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_seq_write);
	for (size_t i = 0; i < nr_ends; i++)
		bpf_land(program, ends[i]);
	bpf_put(program, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	bpf_put(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return NULL;
}

static struct dc_error *load(struct bpf_threads *threads)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return error_make(DC_REFUSED, "the kernel tells no types: %s", strerror(errno));

	int32_t target = btf__find_by_name_kind(btf, "bpf_iter_task", BTF_KIND_FUNC);
	struct bpf_program program = { .n = 0 };
	struct dc_error *err = target > 0 ? assemble(btf, threads->pid, &program)
					  : refuse("the kernel cannot iterate over threads");

	btf__free(btf);
	if (err)
		return err;

	const struct bpf_prog_load_opts options = {
		.sz = sizeof(options),
		.expected_attach_type = BPF_TRACE_ITER,
		.attach_btf_id = (uint32_t)target,
	};

	threads->program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "dc_threads", "Dual MIT/GPL",
					 program.insns, program.n, &options);
	if (threads->program < 0)
		return error_make(DC_REFUSED, "the kernel takes no BPF program from us: %s",
				  strerror(errno));
	return NULL;
}

static struct dc_error *attach(struct bpf_threads *threads)
{
	union bpf_iter_link_info info = { .task.pid = (uint32_t)threads->pid };
	const struct bpf_link_create_opts options = {
		.sz = sizeof(options),
		.iter_info = &info,
		.iter_info_len = sizeof(info),
	};

	// Older kernels go through all threads of the machine; the program picks.
	threads->link = bpf_link_create(threads->program, 0, BPF_TRACE_ITER, &options);
	if (threads->link < 0)
		threads->link = bpf_link_create(threads->program, 0, BPF_TRACE_ITER, NULL);
	if (threads->link < 0)
		return error_make(DC_REFUSED, "the kernel does not begin an iteration for us: %s",
				  strerror(errno));
	return NULL;
}

static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

struct dc_error *bpf_threads_create(const struct process *process, struct bpf_threads **ret)
{
	// The program's thread ids are that one's.
	if (!permission_is_first_pid_namespace())
		return refuse("thread ids in this PID namespace are not the kernel's own");

	struct bpf_threads *threads = malloc(sizeof(*threads));

	if (!threads)
		return &dc_out_of_memory;
	*threads = (struct bpf_threads){ .program = -1, .link = -1, .pid = process->pid };

	libbpf_print_fn_t before = libbpf_set_print(say_nothing);
	struct dc_error *err = load(threads);

	if (!err)
		err = attach(threads);
	libbpf_set_print(before);
	if (err) {
		bpf_threads_destroy(threads);
		return err;
	}
	*ret = threads;
	return NULL;
}

void bpf_threads_destroy(struct bpf_threads *threads)
{
	if (!threads)
		return;
	if (threads->link >= 0)
		close(threads->link);
	if (threads->program >= 0)
		close(threads->program);
	free(threads);
}

static struct bpf_thread thread_from(const struct written *written)
{
	const uint64_t *r = written->regs;

	struct bpf_thread thread = {
		.tid = (pid_t)written->tid,
		.is_on_cpu = written->on_cpu,
		.is_asleep = written->state,
		.has_ended = written->exit_state,
		.marks = { written->voluntary, written->forced, written->arrivals, written->runtime,
			   written->execs },
		.regs = {
			.r15 = r[0], .r14 = r[1], .r13 = r[2], .r12 = r[3], .rbp = r[4],
			.rbx = r[5], .r11 = r[6], .r10 = r[7], .r9 = r[8], .r8 = r[9],
			.rax = r[10], .rcx = r[11], .rdx = r[12], .rsi = r[13], .rdi = r[14],
			.orig_rax = r[15], .rip = r[16], .cs = r[17], .eflags = r[18],
			.rsp = r[19], .ss = r[20], .fs_base = written->fs_base,
			.gs_base = written->gs_base,
		},
	};

	memcpy(thread.name, written->name, sizeof(thread.name));
	thread.name[sizeof(thread.name) - 1] = '\0';
	return thread;
}

// The whole of one iteration.
static struct dc_error *read_all(int fd, char **ret, size_t *n)
{
	size_t room = 64 * sizeof(struct written);
	_cleanup_free_ char *bytes = malloc(room);
	ssize_t got = 0;

	*n = 0;
	while (bytes) {
		got = read(fd, bytes + *n, room - *n);
		if (got <= 0 && !(got < 0 && (errno == EAGAIN || errno == EINTR)))
			break;
		if (got > 0)
			*n += (size_t)got;
		if (*n < room)
			continue;
		room *= 2;

		char *more = realloc(bytes, room);

		if (!more)
			return &dc_out_of_memory;
		bytes = more;
	}
	if (!bytes)
		return &dc_out_of_memory;
	if (got < 0)
		return error_errno(errno, "reading threads by BPF");
	*ret = take_ptr(bytes);
	return NULL;
}

struct dc_error *bpf_threads_read(struct bpf_threads *threads, struct bpf_thread **ret, size_t *n)
{
	_cleanup_close_ int fd = bpf_iter_create(threads->link);
	_cleanup_free_ char *bytes = NULL;
	size_t size;

	if (fd < 0)
		return error_errno(errno, "iterating over threads by BPF");

	struct dc_error *err = read_all(fd, &bytes, &size);

	if (err)
		return err;
	*n = size / sizeof(struct written);

	struct bpf_thread *all = calloc(*n ?: 1, sizeof(*all));

	if (!all)
		return &dc_out_of_memory;
	for (size_t i = 0; i < *n; i++) {
		struct written written;

		memcpy(&written, bytes + i * sizeof(written), sizeof(written));
		all[i] = thread_from(&written);
	}
	*ret = all;
	return NULL;
}
