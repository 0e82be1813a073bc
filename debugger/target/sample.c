// SPDX-License-Identifier: MIT
// A perf event of the CPU clock that fires once, in user mode.
#include "debugger/target/sample.h"

#include "debugger/arch/x86_64/registers.h"
#include "debugger/base/cleanup.h"

#include <asm/perf_regs.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

enum {
	PAGE = 4096,
	RING = 16 * PAGE, // of records; one is less than that
	STACK = 32768,
	PERIOD_NS = 50000,
};

// What is asked for, in the order in which the kernel writes it.
static const struct {
	int bit;
	size_t to;
} wanted[] = {
#define REGISTER(bit, field)                                                 \
	{                                                                    \
		PERF_REG_X86_##bit, offsetof(struct user_regs_struct, field) \
	}
	REGISTER(AX, rax),  REGISTER(BX, rbx),	     REGISTER(CX, rcx),	 REGISTER(DX, rdx),
	REGISTER(SI, rsi),  REGISTER(DI, rdi),	     REGISTER(BP, rbp),	 REGISTER(SP, rsp),
	REGISTER(IP, rip),  REGISTER(FLAGS, eflags), REGISTER(CS, cs),	 REGISTER(SS, ss),
	REGISTER(R8, r8),   REGISTER(R9, r9),	     REGISTER(R10, r10), REGISTER(R11, r11),
	REGISTER(R12, r12), REGISTER(R13, r13),	     REGISTER(R14, r14), REGISTER(R15, r15),
#undef REGISTER
};
enum { WANTED = sizeof(wanted) / sizeof(*wanted) };

struct ring {
	void *map;
};

static void ring_unmap(struct ring *ring)
{
	if (ring->map != MAP_FAILED)
		munmap(ring->map, PAGE + RING);
}

static int open_event(pid_t tid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = PERIOD_NS,
		.sample_type = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
		.sample_stack_user = STACK,
		.wakeup_events = 1,
		.disabled = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	for (size_t i = 0; i < WANTED; i++)
		attr.sample_regs_user |= UINT64_C(1) << wanted[i].bit;
	return (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

// Reads one record; false: it is no sample, or has no registers.
static bool parse(const char *record, size_t size, struct sample *ret)
{
	struct perf_event_header header;
	uint64_t abi, stack, filled;
	size_t at = sizeof(header) + 8 + WANTED * 8;

	memcpy(&header, record, sizeof(header));
	if (header.type != PERF_RECORD_SAMPLE || header.size > size || at + 8 > header.size)
		return false;
	memcpy(&abi, record + sizeof(header), 8);
	if (abi != PERF_SAMPLE_REGS_ABI_64)
		return false;
	ret->regs = (struct user_regs_struct){ .orig_rax = (uint64_t)-1 };
	for (size_t i = 0; i < WANTED; i++)
		memcpy((char *)&ret->regs + wanted[i].to, record + sizeof(header) + 8 + i * 8, 8);
	memcpy(&stack, record + at, 8);
	at += 8;
	if (!stack || stack > header.size - at || header.size - at - stack < 8)
		return false;
	memcpy(&filled, record + at + stack, 8);
	if (filled > stack)
		return false;
	ret->stack = malloc(filled ?: 1);
	if (!ret->stack)
		return false;
	memcpy(ret->stack, record + at, filled);
	ret->size = filled;
	return true;
}

static struct dc_error *refuse(int err)
{
	return error_make(DC_REFUSED, "the kernel takes no samples for us: %s", strerror(err));
}

struct dc_error *sample_take(pid_t tid, int64_t wait_ns, struct sample *ret, bool *taken)
{
	_cleanup_close_ int fd = open_event(tid);
	const struct timespec wait = { wait_ns / 1000000000, wait_ns % 1000000000 };

	*ret = (struct sample){ .stack = NULL };
	*taken = false;
	if (fd < 0 && errno == ESRCH) // it has ended
		return NULL;
	if (fd < 0)
		return refuse(errno);

	_cleanup_(ring_unmap) struct ring ring = { mmap(NULL, PAGE + RING, PROT_READ | PROT_WRITE,
							MAP_SHARED, fd, 0) };

	if (ring.map == MAP_FAILED || ioctl(fd, PERF_EVENT_IOC_REFRESH, 1))
		return refuse(errno);

	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int n = ppoll(&ready, 1, &wait, NULL);
	const struct perf_event_mmap_page *page = ring.map;

	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	// The first record begins the ring, and none is longer.
	uint64_t written = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);

	if (n >= 0 && written >= sizeof(struct perf_event_header))
		*taken = parse((const char *)ring.map + PAGE, written < RING ? written : RING, ret);
	return NULL;
}
