// SPDX-License-Identifier: MIT
// A program whose debug call host does not keep to the protocol, in the way that is asked for, and then goes home
// nevertheless. There is no runtime: one M, one goroutine, both made up.
//
//   gort_liar PAGE early|unknown|twice|misaligned|elsewhere|mute       PAGE counts rounds; prints "ready"
#include "protocol/debugcall.h"
#include "protocol/descriptor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct goroutine {
	struct goroutine *next;
	uint64_t id, flags, wait_since;
	void *m, *locked_m;
	char *low, *high;
	void *saved_sp;
	uint64_t creator_id;
	void *creator_pc;
	const char *label;
	uint32_t status;
	uint16_t wait_reason;
} goroutine = { .id = 1, .status = 1 }, *all_g = &goroutine;

static struct machine {
	struct machine *next;
	uint64_t id;
	struct goroutine *current;
	void *p, *call;
	int32_t tid;
	uint32_t in_runtime;
} machine = { .id = 1, .current = &goroutine }, *all_m = &machine;

static int64_t now;
static const char *const texts[] = { "dead", "running", "waiting" };
static const char *way = "";
static uint64_t mask;

#define HIDDEN __attribute__((visibility("hidden")))
extern HIDDEN const char liar_entry[], liar_say_start[], liar_say_end[], __start_liar_text[],
	__stop_liar_text[];

// Says the status from inside the range of the descriptor, or from outside.
void liar_say(unsigned long status, unsigned long pid, unsigned long tid, unsigned long skew,
	      uint64_t *callee_mask);
void liar_say_elsewhere(unsigned long status, unsigned long pid, unsigned long tid,
			unsigned long skew, uint64_t *callee_mask);
void liar_speak(void);

// clang-format off
#define SAY                                                                     \
	"push %rbx\n push %rbp\n push %r12\n push %r13\n push %r15\n"           \
	"mov %rsp, %rbp\n mov %rdi, %r12\n mov %rsi, %rdi\n mov %rdx, %rsi\n"   \
	"mov %r8, %r13\n and $-64, %rsp\n sub %rcx, %rsp\n xor %r15d, %r15d\n"  \
	"mov $2, %edx\n mov $234, %eax\n syscall\n"
#define SAID                                                                    \
	"mov %rbp, %rsp\n pop %r15\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"
__asm__(".pushsection liar_text, \"ax\", @progbits\n"
	"liar_say:\n" SAY "liar_say_start:\n nop\n liar_say_end:\n" SAID
	"liar_say_elsewhere:\n" SAY SAID
	"liar_entry:\n"
	"pushfq\n push %rax\n push %rcx\n push %rdx\n push %rbx\n push %rbp\n push %rsi\n push %rdi\n"
	"push %r8\n push %r9\n push %r10\n push %r11\n push %r12\n push %r13\n push %r14\n push %r15\n"
	"mov %rsp, %rbx\n and $-64, %rsp\n call liar_speak\n mov %rbx, %rsp\n"
	"pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %r11\n pop %r10\n pop %r9\n pop %r8\n"
	"pop %rdi\n pop %rsi\n pop %rbp\n pop %rbx\n pop %rdx\n pop %rcx\n pop %rax\n popfq\n"
	"ret $128\n"
	".popsection\n");
// clang-format on

static bool is(const char *what)
{
	return !strcmp(way, what);
}

static void say(unsigned long status, unsigned long skew)
{
	(is("elsewhere") ? liar_say_elsewhere : liar_say)(status, (unsigned long)getpid(),
							  (unsigned long)machine.tid, skew, &mask);
}

void liar_speak(void)
{
	if (is("mute"))
		return;
	if (is("early"))
		say(DEBUGCALL_RESTORED, 0);
	if (is("unknown"))
		say(3, 0);
	if (is("twice"))
		say(DEBUGCALL_READY, 0);
	if (is("twice") || is("elsewhere"))
		say(DEBUGCALL_READY, 0);
	if (is("misaligned"))
		say(DEBUGCALL_READY, 8);
	say(DEBUGCALL_RESTORED, 0);
}

#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))
#define G(field)   offsetof(struct goroutine, field)
#define M(field)   offsetof(struct machine, field)

struct debugcall_descriptor debugcall_descriptor = {
	.magic = { 'd', 'e', 'b', 'u', 'g', 'c', 'a', 'l' },
	.size = sizeof(struct debugcall_descriptor),
	.major = DEBUGCALL_MAJOR,
	.minor = DEBUGCALL_MINOR,
	.handshake = DEBUGCALL_HANDSHAKE_SIGNAL,
	.handshake_signal = SIGINT,
	.handshake_start = ADDRESS(liar_say_start),
	.handshake_end = ADDRESS(liar_say_end),
	.entry = ADDRESS(liar_entry),
	.text_start = ADDRESS(__start_liar_text),
	.text_end = ADDRESS(__stop_liar_text),
	.all_g = ADDRESS(&all_g),
	.all_m = ADDRESS(&all_m),
	.now = ADDRESS(&now),
	.statuses = ADDRESS(texts),
	.nr_statuses = 3,
	.wait_reasons = ADDRESS(texts),
	.nr_wait_reasons = 3,
	.status_running = 1,
	.status_waiting = 2,
	.g = { sizeof(struct goroutine), G(next), G(id), G(status), G(flags), G(wait_reason),
	       G(wait_since), G(m), G(locked_m), G(low), G(high), G(saved_sp), G(creator_id),
	       G(creator_pc), G(label) },
	.m = { sizeof(struct machine), M(next), M(id), M(tid), M(current), M(p), M(in_runtime),
	       M(call) },
	.saved = { .size = 64, .pc = 56 },
};

__asm__(".pushsection .note.debugcall, \"a\", @note\n"
	".balign 4\n"
	".long 2f - 1f, 4f - 3f, 1\n"
	"1: .asciz \"debugcall\"\n"
	"2: .balign 4\n"
	"3: .quad debugcall_descriptor - .\n"
	"4: .balign 4\n"
	".popsection\n");

int add(int a, int b)
{
	return a + b;
}

int main(int argc, char *argv[])
{
	int fd = argc > 2 ? open(argv[1], O_RDWR) : -1;
	volatile uint64_t *rounds = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (rounds == MAP_FAILED)
		return 2;
	way = argv[2];
	machine.tid = (int32_t)syscall(SYS_gettid);
	goroutine.m = &machine;
	goroutine.high = (char *)__builtin_frame_address(0) + 4096;
	goroutine.low = goroutine.high - (256 << 10);
	signal(SIGINT, SIG_IGN);
	puts("ready");
	fflush(stdout);
	for (;;)
		++*rounds;
}
