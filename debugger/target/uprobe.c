// SPDX-License-Identifier: MIT
// Uprobes by perf_event_open(2), each with a BPF program that is put together here.
#include "debugger/target/uprobe.h"

#include "debugger/arch/x86_64/probing.h"
#include "debugger/arch/x86_64/registers.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/keeper.h"
#include "debugger/target/maps.h"
#include "debugger/target/permission.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PT_REGS = 21, PT_IP = 16, PT_SP = 19 }; // struct pt_regs, in words

// What the program finds and leaves for one thread.
struct seat {
	uint64_t hits, addr;
	uint64_t pass_addr, pass_sp;
	uint32_t notice, unused;
	uint64_t regs[PT_REGS];
};

struct uprobe {
	struct uprobe *next;
	uint64_t addr;
	unsigned number;
	int fd;
};

struct uprobes {
	struct process *process;
	uint32_t type; // of the kernel's perf events
	int seats; // a map, by thread id
	int switches; // a map of one element: a byte for each uprobe, 0: its program does nothing
	volatile unsigned char *on; // the same
	struct keeper *keeper;
	struct uprobe *armed;
	unsigned nr_ever;
};

// ---- the program ----------------------------------------------------------------------------------

struct program {
	struct bpf_insn insns[128];
	size_t n;
	size_t ends[4], nr_ends; // jumps to its end
};

static void put(struct program *program, uint8_t code, int to, int from, int off, int32_t imm)
{
	program->insns[program->n++] = (struct bpf_insn){ .code = code,
							  .dst_reg = (uint8_t)to & 0xf,
							  .src_reg = (uint8_t)from & 0xf,
							  .off = (int16_t)off,
							  .imm = imm };
}

static void put_wide(struct program *program, int to, int kind, uint32_t low, uint32_t high)
{
	put(program, BPF_LD | BPF_DW | BPF_IMM, to, kind, 0, (int32_t)low);
	put(program, 0, 0, 0, 0, (int32_t)high);
}

static void put_load(struct program *program, int to, int from, size_t off)
{
	put(program, BPF_LDX | BPF_MEM | BPF_DW, to, from, (int)off, 0);
}

static void put_store(struct program *program, int to, size_t off, int from)
{
	put(program, BPF_STX | BPF_MEM | BPF_DW, to, from, (int)off, 0);
}

static void put_end_if(struct program *program, uint8_t condition, int reg, int other, int32_t imm)
{
	program->ends[program->nr_ends++] = program->n;
	put(program, BPF_JMP | condition, reg, other, 0, imm);
}

// R6 has the registers, R7 the thread's seat, R8 the address.
static void assemble(const struct uprobes *uprobes, const struct uprobe *uprobe,
		     struct program *program)
{
	enum { KEY = -8 };

	put(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	put_wide(program, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, (uint32_t)uprobes->switches,
		 uprobe->number);
	put(program, BPF_LDX | BPF_MEM | BPF_B, BPF_REG_1, BPF_REG_1, 0, 0);
	put_end_if(program, BPF_JEQ | BPF_K, BPF_REG_1, 0, 0);
	// The file may be mapped anywhere else, too.
	put_wide(program, BPF_REG_8, 0, (uint32_t)uprobe->addr, (uint32_t)(uprobe->addr >> 32));
	put_load(program, BPF_REG_1, BPF_REG_6, PT_IP * sizeof(uint64_t));
	put_end_if(program, BPF_JNE | BPF_X, BPF_REG_1, BPF_REG_8, 0);
	put(program, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid);
	put(program, BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_0, KEY, 0);
	put_wide(program, BPF_REG_1, BPF_PSEUDO_MAP_FD, (uint32_t)uprobes->seats, 0);
	put(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0);
	put(program, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, KEY);
	put(program, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	put_end_if(program, BPF_JEQ | BPF_K, BPF_REG_0, 0, 0);
	put(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_7, BPF_REG_0, 0, 0);

	size_t passes = program->n + 1;

	put_load(program, BPF_REG_1, BPF_REG_7, offsetof(struct seat, pass_addr));
	put(program, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_1, BPF_REG_8, 0, 0);
	put_load(program, BPF_REG_2, BPF_REG_7, offsetof(struct seat, pass_sp));
	put_load(program, BPF_REG_3, BPF_REG_6, PT_SP * sizeof(uint64_t));
	// In a deeper frame, of a signal's handler, it is not yet the one that goes by.
	put(program, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_2, BPF_REG_3, 2, 0);
	put(program, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_7, 0, offsetof(struct seat, pass_addr), 0);
	put_end_if(program, BPF_JA, 0, 0, 0);
	program->insns[passes].off = (int16_t)(program->n - passes - 1);

	for (size_t i = 0; i < PT_REGS; i++) {
		put_load(program, BPF_REG_1, BPF_REG_6, i * sizeof(uint64_t));
		put_store(program, BPF_REG_7, offsetof(struct seat, regs) + i * sizeof(uint64_t),
			  BPF_REG_1);
	}
	put_store(program, BPF_REG_7, offsetof(struct seat, addr), BPF_REG_8);
	put_load(program, BPF_REG_1, BPF_REG_7, offsetof(struct seat, hits));
	put(program, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, 1);
	put_store(program, BPF_REG_7, offsetof(struct seat, hits), BPF_REG_1);
	put(program, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_7, offsetof(struct seat, notice),
	    0);
	put(program, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_send_signal_thread);
	for (size_t i = 0; i < program->nr_ends; i++)
		program->insns[program->ends[i]].off = (int16_t)(program->n - program->ends[i] - 1);
	put(program, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	put(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static struct dc_error *set_program(const struct uprobes *uprobes, const struct uprobe *uprobe)
{
	struct program program = { .n = 0 };
	const struct bpf_prog_load_opts options = { .sz = sizeof(options) };

	assemble(uprobes, uprobe, &program);
	_cleanup_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "dc_hit", "Dual MIT/GPL",
					       program.insns, program.n, &options);
	if (fd < 0)
		return error_make(DC_REFUSED, "the kernel takes no BPF program from us: %s",
				  strerror(errno));
	if (ioctl(uprobe->fd, PERF_EVENT_IOC_SET_BPF, fd) ||
	    ioctl(uprobe->fd, PERF_EVENT_IOC_ENABLE, 0))
		return error_make(DC_REFUSED, "the kernel runs no BPF program at a uprobe: %s",
				  strerror(errno));
	return NULL;
}

// ---- all of a process's ---------------------------------------------------------------------------

static bool read_type(uint32_t *ret)
{
	char text[16] = "";
	_cleanup_close_ int fd = open("/sys/bus/event_source/devices/uprobe/type",
				      O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	*ret = (uint32_t)strtoul(text, NULL, 10);
	return *ret != 0;
}

static struct dc_error *make_maps(struct uprobes *uprobes)
{
	enum { SEATS_MAX = 1 << 16 };
	const struct bpf_map_create_opts seats = { .sz = sizeof(seats),
						   .map_flags = BPF_F_NO_PREALLOC };
	const struct bpf_map_create_opts switches = { .sz = sizeof(switches),
						      .map_flags = BPF_F_MMAPABLE };

	uprobes->seats = bpf_map_create(BPF_MAP_TYPE_HASH, "dc_seats", sizeof(uint32_t),
					sizeof(struct seat), SEATS_MAX, &seats);
	uprobes->switches = uprobes->seats < 0
				    ? -1
				    : bpf_map_create(BPF_MAP_TYPE_ARRAY, "dc_switches",
						     sizeof(uint32_t), KEPT_MAX, 1, &switches);
	if (uprobes->switches < 0)
		return error_make(DC_REFUSED, "the kernel makes no BPF map for us: %s",
				  strerror(errno));

	void *on = mmap(NULL, KEPT_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, uprobes->switches, 0);

	if (on == MAP_FAILED)
		return error_errno(errno, "a BPF map");
	uprobes->on = on;
	return NULL;
}

struct dc_error *uprobes_create(struct process *process, struct uprobes **ret)
{
	struct uprobes *uprobes = calloc(1, sizeof(*uprobes));
	struct dc_error *err = NULL;

	if (!uprobes)
		return &dc_out_of_memory;
	uprobes->process = process;
	uprobes->seats = uprobes->switches = -1;
	if (!permission_is_first_pid_namespace())
		err = error_make(DC_REFUSED,
				 "thread ids in this PID namespace are not the kernel's own");
	else if (!read_type(&uprobes->type))
		err = error_make(DC_REFUSED, "this kernel has no uprobes");
	if (!err)
		err = make_maps(uprobes);
	if (!err)
		err = keeper_create((void *)uprobes->on, KEPT_MAX, &uprobes->keeper);
	if (err) {
		uprobes_destroy(uprobes);
		return err;
	}
	*ret = uprobes;
	return NULL;
}

// The keeper is the last to close it.
static void release(struct uprobes *uprobes, struct uprobe *uprobe)
{
	if (uprobe->fd >= 0) {
		close(uprobe->fd);
		keeper_drop(uprobes->keeper, uprobe->number);
	}
	free(uprobe);
}

static void disarm(struct uprobes *uprobes, struct uprobe **at)
{
	struct uprobe *uprobe = *at;

	*at = uprobe->next;
	uprobes->on[uprobe->number] = 0;
	memory_forget_patch(uprobes->process, uprobe->addr);
	release(uprobes, uprobe);
}

void uprobes_destroy(struct uprobes *uprobes)
{
	if (!uprobes)
		return;
	while (uprobes->armed)
		disarm(uprobes, &uprobes->armed);
	keeper_destroy(uprobes->keeper);
	if (uprobes->on)
		munmap((void *)uprobes->on, KEPT_MAX);
	cleanup_close(&uprobes->seats);
	cleanup_close(&uprobes->switches);
	free(uprobes);
}

// ---- one ------------------------------------------------------------------------------------------

static struct dc_error *refuse(uint64_t addr, const char *why)
{
	return error_make(DC_REFUSED, "no uprobe can be at 0x%jx: %s", (uintmax_t)addr, why);
}

// Another's uprobe, or one of ours that is being taken away, may be anywhere in the memory; the kernel
// takes the instruction from the file.
static bool is_alike(const unsigned char *here, const unsigned char *there, size_t n)
{
	enum { BREAKPOINT = 0xcc };

	for (size_t i = 0; i < n; i++) {
		if (here[i] != there[i] && here[i] != BREAKPOINT)
			return false;
	}
	return true;
}

struct text {
	int fd;
	uint64_t offset;
	unsigned char code[15]; // an instruction at the most
};

static void text_deinit(struct text *text)
{
	cleanup_close(&text->fd);
}

static struct dc_error *open_text(const struct uprobes *uprobes, uint64_t addr, struct text *ret)
{
	unsigned char here[sizeof(ret->code)];
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	struct dc_error *err = maps_read(uprobes->process, &maps);
	const struct mapping *map = err ? NULL : maps_find(&maps, addr);
	const char *why;

	if (err)
		return err;
	if (!map || !map->executable || !map->inode || map->shared)
		return refuse(addr, "its text is no file's");
	ret->offset = addr - map->start + map->offset;
	ret->fd = process_open_file(uprobes->process, map->path, map->start, map->end);
	if (ret->fd < 0)
		return refuse(addr, "its file cannot be opened");

	size_t n = memory_read_some(uprobes->process, addr, here, sizeof(here));
	ssize_t got = pread(ret->fd, ret->code, n, (off_t)ret->offset);

	if (got <= 0 || !is_alike(here, ret->code, (size_t)got))
		return refuse(addr, "its text is not as it is in its file");
	why = probing_refuses(ret->code, (size_t)got, addr);
	return why ? refuse(addr, why) : NULL;
}

static struct dc_error *open_event(const struct uprobes *uprobes, const struct text *text,
				   struct uprobe *uprobe)
{
	enum { NOT_SUPPORTED = 524 }; // the kernel's own ENOTSUPP
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", text->fd);

	struct perf_event_attr attr = {
		.type = uprobes->type,
		.size = sizeof(attr),
		.config1 = (uint64_t)(uintptr_t)path,
		.config2 = text->offset,
		.sample_period = 1,
		.wakeup_events = 1,
		.disabled = 1,
	};

	uprobe->fd = (int)syscall(SYS_perf_event_open, &attr, uprobes->process->pid, -1, -1,
				  PERF_FLAG_FD_CLOEXEC);
	if (uprobe->fd >= 0)
		return NULL;
	if (errno == EACCES || errno == EPERM)
		return error_make(DC_REFUSED, "the kernel allows us no uprobe");
	return refuse(uprobe->addr, errno == NOT_SUPPORTED
					    ? "the kernel takes none on that instruction"
					    : strerror(errno));
}

static struct dc_error *arm(struct uprobes *uprobes, struct uprobe *uprobe)
{
	_cleanup_(text_deinit) struct text text = { .fd = -1 };
	struct dc_error *err = open_text(uprobes, uprobe->addr, &text);

	if (!err)
		err = open_event(uprobes, &text, uprobe);
	if (!err)
		err = set_program(uprobes, uprobe);
	if (!err)
		err = keeper_hold(uprobes->keeper, uprobe->number, uprobe->fd);
	return err ? err : memory_note_patch(uprobes->process, uprobe->addr, text.code[0]);
}

struct dc_error *uprobes_arm(struct uprobes *uprobes, uint64_t addr)
{
	struct uprobe *uprobe;
	struct dc_error *err;

	if (uprobes->nr_ever == KEPT_MAX)
		return refuse(addr, "there were too many");
	uprobe = malloc(sizeof(*uprobe));
	if (!uprobe)
		return &dc_out_of_memory;
	*uprobe = (struct uprobe){ .next = uprobes->armed, .addr = addr, .fd = -1 };
	uprobe->number = uprobes->nr_ever++;
	err = arm(uprobes, uprobe);
	if (err) {
		release(uprobes, uprobe);
		return err;
	}
	uprobes->on[uprobe->number] = 1;
	uprobes->armed = uprobe;
	return NULL;
}

void uprobes_disarm(struct uprobes *uprobes, uint64_t addr)
{
	struct uprobe **at = &uprobes->armed;

	while (*at && (*at)->addr != addr)
		at = &(*at)->next;
	if (*at)
		disarm(uprobes, at);
}

// ---- seats ----------------------------------------------------------------------------------------

struct dc_error *uprobes_seat(struct uprobes *uprobes, pid_t tid, int notice)
{
	struct seat seat = { .notice = (uint32_t)notice };

	if (bpf_map_update_elem(uprobes->seats, &tid, &seat, BPF_ANY))
		return error_errno(errno, "a seat for thread %d", tid);
	return NULL;
}

void uprobes_unseat(struct uprobes *uprobes, pid_t tid)
{
	bpf_map_delete_elem(uprobes->seats, &tid);
}

bool uprobes_look(const struct uprobes *uprobes, pid_t tid, struct uprobe_hits *ret)
{
	struct seat seat;
	const uint64_t *r = seat.regs;

	if (bpf_map_lookup_elem(uprobes->seats, &tid, &seat))
		return false;
	*ret = (struct uprobe_hits){
		.n = seat.hits,
		.addr = seat.addr,
		.before = {
			.r15 = r[0], .r14 = r[1], .r13 = r[2], .r12 = r[3], .rbp = r[4],
			.rbx = r[5], .r11 = r[6], .r10 = r[7], .r9 = r[8], .r8 = r[9],
			.rax = r[10], .rcx = r[11], .rdx = r[12], .rsi = r[13], .rdi = r[14],
			.orig_rax = (unsigned long long)-1, .rip = r[PT_IP],
			.eflags = r[18] & ~(uint64_t)FLAG_RESUME, .rsp = r[PT_SP],
		},
	};
	return true;
}

void uprobes_pass(struct uprobes *uprobes, pid_t tid, uint64_t addr, uint64_t sp)
{
	struct seat seat;

	if (bpf_map_lookup_elem(uprobes->seats, &tid, &seat))
		return;
	seat.pass_addr = addr;
	seat.pass_sp = sp;
	bpf_map_update_elem(uprobes->seats, &tid, &seat, BPF_EXIST);
}
