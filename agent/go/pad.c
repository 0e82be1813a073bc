// SPDX-License-Identifier: MIT
// The code of the pad in a Go program. It runs inside Go's SIGTRAP handler, on the signal stack, and
// on an idle thread: freestanding, in general registers only, position-independent, and in one piece.
#include "agent/go/layout.h"

#include <asm/unistd_64.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <ucontext.h>

#define PAD_CODE __attribute__((section("go_pad_code"), used, noinline))

// Go calls by its own convention: AX siginfo, BX its sigctxt, CX the goroutine, DX our funcval; it
// keeps R14, its goroutine. Who is to wake a goroutine comes in below, on the signal stack still: a
// signal that it takes there lies below the way home. RDI is the data, R12 the way home, R13 its own
// stack, R14 that stack's goroutine, R15 the request's number.
__asm__(".pushsection go_pad_code, \"ax\", @progbits\n"
	"	.balign 4096\n"
	"	.globl go_pad_start, go_pad_hook, go_pad_wake\n"
	"	.hidden go_pad_start, go_pad_hook, go_pad_wake\n"
	"go_pad_start:\n"
	"	ud2\n"
	"	.asciz \"debugcall go pad 1\"\n"
	"	.balign 16\n"
	"go_pad_hook:\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	push %r14\n"
	"	push %r15\n"
	"	and $-16, %rsp\n"
	"	mov %rax, %rdi\n"
	"	mov 8(%rbx), %rsi\n"
	"	mov 8(%rdx), %r8\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %rcx\n"
	"	mov %r14, %r8\n"
	"	call go_pad_handle\n"
	"	movzbl %al, %eax\n"
	"	lea -16(%rbp), %rsp\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %rbp\n"
	"	ret\n"
	"	.balign 16\n"
	"go_pad_wake:\n"
	"	mov %rdi, %rbx\n"
	"	mov $14, %eax\n" // rt_sigprocmask
	"	mov $2, %edi\n" // SIG_SETMASK
	"	mov %rbx, %rsi\n"
	"	xor %edx, %edx\n"
	"	mov $8, %r10d\n"
	"	syscall\n"
	"	mov %r13, %rsp\n"
	"	mov %rbx, %rdi\n"
	"	mov %r14, %rsi\n"
	"	mov %r15d, %edx\n"
	"	call go_pad_wake_one\n"
	"	mov %r12, %rsp\n"
	"	mov $15, %eax\n" // rt_sigreturn
	"	syscall\n"
	"	ud2\n"
	"	.popsection\n");

static inline uint64_t *memory(uint64_t addr)
{
	return (uint64_t *)addr;
}

static inline uint64_t *registers(ucontext_t *uc)
{
	return (uint64_t *)uc->uc_mcontext.gregs;
}
#define R(i) registers(uc)[i]

static inline void copy(void *to, const void *from, uint64_t n)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static inline void clear(void *to, uint64_t n)
{
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(0) : "memory");
}

static inline long system_call(long nr, long a, long b)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return ret;
}

static inline uint64_t now(void)
{
	struct timespec time = { 0, 0 };

	system_call(__NR_clock_gettime, CLOCK_MONOTONIC, (long)&time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static inline void set_turn(struct go_pad *pad, uint32_t turn)
{
	__atomic_store_n(&pad->turn, turn, __ATOMIC_SEQ_CST);
}

// ---- the hook -----------------------------------------------------------------------------------

static inline void disarm(const struct go_pad *pad)
{
	uint64_t ours = (uint64_t)&pad->code;

	__atomic_compare_exchange_n(memory(pad->places.hook), &ours, 0, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
}

// The conversation is over. Nothing of ours may come any more but what is counted; the debugger may
// begin the next as soon as it sees the turn.
static inline void end(struct go_pad *pad, uint32_t on_its_way)
{
	if (pad->received + on_its_way == __atomic_load_n(&pad->sent, __ATOMIC_SEQ_CST))
		disarm(pad);
	set_turn(pad, GO_HOME);
}

// ---- registers that are not general --------------------------------------------------------------

enum {
	FX_XMM = 160,
	FX_LEGACY = 464, // the kernel's own words begin here
	FX_SIZE = 512,
	FX_MAGIC = 0x46505853,
	SSE = 2,
};
struct software_bytes {
	uint32_t magic, extended_size;
	uint64_t features;
	uint32_t size;
};

static inline struct software_bytes *software(ucontext_t *uc)
{
	return (struct software_bytes *)((char *)uc->uc_mcontext.fpregs + FX_LEGACY);
}

static inline uint64_t *features(ucontext_t *uc)
{
	return (uint64_t *)((char *)uc->uc_mcontext.fpregs + FX_SIZE);
}

static inline uint64_t *xmm(ucontext_t *uc, int i)
{
	return (uint64_t *)((char *)uc->uc_mcontext.fpregs + FX_XMM + i * 16);
}

// The vectors of the frame are as they stand there, also where the kernel had none to write.
static inline void need_vectors(ucontext_t *uc)
{
	if (software(uc)->magic != FX_MAGIC || *features(uc) & SSE)
		return;
	clear(xmm(uc, 0), 16 * 16);
	*features(uc) |= SSE;
}

// As Go's code has them at every place: X15 is zero, R14 the goroutine.
static inline void need_go(ucontext_t *uc, uint64_t g)
{
	need_vectors(uc);
	clear(xmm(uc, 15), 16);
	R(REG_R14) = g;
}

static inline void save_xstate(struct go_pad *pad, ucontext_t *uc)
{
	const struct software_bytes *words = software(uc);
	uint64_t size = words->magic == FX_MAGIC ? words->size : FX_SIZE;

	pad->xstate_size = size <= GO_PAD_XSTATE ? size : FX_SIZE;
	copy(pad->xstate, uc->uc_mcontext.fpregs, pad->xstate_size);
}

// The frame keeps its own words and its end mark: without them only the legacy part would come back.
static inline void restore_xstate(const struct go_pad *pad, ucontext_t *uc)
{
	char *fp = (char *)uc->uc_mcontext.fpregs;
	const struct software_bytes *words = software(uc);

	copy(fp, pad->xstate, FX_LEGACY);
	if (words->magic != FX_MAGIC || pad->xstate_size <= FX_SIZE)
		return;
	copy(fp + FX_SIZE, pad->xstate + FX_SIZE,
	     (pad->xstate_size < words->size ? pad->xstate_size : words->size) - FX_SIZE);
	*features(uc) &= words->features;
}

// ---- a call ---------------------------------------------------------------------------------------

static inline void enter(struct go_pad *pad, ucontext_t *uc)
{
	copy((void *)R(REG_RSP), pad->stack, pad->stack_size);
	R(REG_RAX) = pad->general[0];
	R(REG_RBX) = pad->general[1];
	R(REG_RCX) = pad->general[2];
	R(REG_RDI) = pad->general[3];
	R(REG_RSI) = pad->general[4];
	R(REG_R8) = pad->general[5];
	R(REG_R9) = pad->general[6];
	R(REG_R10) = pad->general[7];
	R(REG_R11) = pad->general[8];
	need_vectors(uc);
	for (int i = 0; i < GO_PAD_FLOATS; i++) {
		xmm(uc, i)[0] = pad->floats[i];
		xmm(uc, i)[1] = 0;
	}
	R(REG_RDX) = pad->context;
	R(REG_RSP) -= 8;
	*memory(R(REG_RSP)) = pad->back;
	R(REG_RIP) = pad->fn;
}

static inline void take_results(struct go_pad *pad, ucontext_t *uc)
{
	pad->left_general[0] = R(REG_RAX);
	pad->left_general[1] = R(REG_RBX);
	pad->left_general[2] = R(REG_RCX);
	pad->left_general[3] = R(REG_RDI);
	pad->left_general[4] = R(REG_RSI);
	pad->left_general[5] = R(REG_R8);
	pad->left_general[6] = R(REG_R9);
	pad->left_general[7] = R(REG_R10);
	pad->left_general[8] = R(REG_R11);
	need_vectors(uc);
	for (int i = 0; i < GO_PAD_FLOATS; i++)
		pad->left_floats[i] = xmm(uc, i)[0];
	copy(pad->left_stack, (void *)R(REG_RSP), pad->stack_size);
}

static inline void begin_call(struct go_pad *pad, ucontext_t *uc, uint64_t g)
{
	pad->callee = g;
	pad->back = R(REG_RIP);
	if (pad->n > 1)
		pad->began_ns = pad->last_ns = now();
	set_turn(pad, GO_CALLING);
	enter(pad, uc);
}

// The callee has returned: once more, or that was the last. None that was given up goes on.
static inline void end_call(struct go_pad *pad, ucontext_t *uc)
{
	uint64_t time = pad->n > 1 ? now() : 0;

	if (pad->n > 1) {
		uint64_t took = time - pad->last_ns;

		if (pad->done < GO_PAD_TIMES)
			pad->times[pad->done] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
		pad->last_ns = time;
	}
	__atomic_store_n(&pad->done, pad->done + 1, __ATOMIC_RELEASE);
	pad->outcome = GO_RETURNED;
	if (pad->done < pad->n && time - pad->began_ns < pad->slice_ns &&
	    pad->withdrawn != pad->serial && pad->undo != pad->serial) {
		enter(pad, uc);
		return;
	}
	take_results(pad, uc);
	set_turn(pad, GO_LEAVING);
}

// By frame pointers, up to what called the callee.
static inline void take_frames(struct go_pad *pad, ucontext_t *uc, uint64_t g)
{
	uint64_t bp = R(REG_RBP), low = R(REG_RSP);
	uint32_t n = 1;

	pad->frames[0] = R(REG_RIP);
	pad->top = *memory(low);
	while (n < GO_PAD_FRAMES && bp >= low && bp < memory(g)[1] - 16 && !(bp & 7) &&
	       !go_range_has(&pad->places.dispatch, memory(bp)[1])) {
		pad->frames[n++] = memory(bp)[1];
		low = bp + 1;
		bp = memory(bp)[0];
	}
	pad->nr_frames = n;
}

// Leave what the callee has on the stack, as if debugCallWrap2 had returned to debugCallWrap1. false:
// its frame is not found.
static inline bool leave(struct go_pad *pad, ucontext_t *uc, uint64_t g)
{
	enum { FRAMES = 4096 };
	uint64_t bp = R(REG_RBP), low = R(REG_RSP);

	for (int i = 0; i < FRAMES; i++) {
		if (bp < low || bp >= memory(g)[1] - 16 || bp & 7)
			return false;
		if (go_range_has(&pad->places.wrap, memory(bp)[1]))
			break;
		low = bp + 1;
		bp = memory(bp)[0];
	}
	if (!go_range_has(&pad->places.wrap, memory(bp)[1]))
		return false;
	R(REG_RIP) = memory(bp)[1];
	R(REG_RSP) = bp + 16;
	R(REG_RBP) = memory(bp)[0];
	*memory(g + pad->places.g_panic) = 0;
	*memory(g + pad->places.g_defer) = 0;
	need_go(uc, g);
	return true;
}

static inline void take_panic(struct go_pad *pad, ucontext_t *uc, uint64_t g)
{
	pad->type = memory(R(REG_RSP))[0];
	pad->value = memory(R(REG_RSP))[1];
	pad->outcome = pad->type ? GO_PANICKED : GO_EXITED;
	take_frames(pad, uc, g);
	// A goroutine that goes on to end while it is the runtime's own would take the program along.
	if (!pad->type)
		leave(pad, uc, g);
	set_turn(pad, GO_LEAVING);
}

static inline void take_refusal(struct go_pad *pad, ucontext_t *uc)
{
	uint64_t text = memory(R(REG_RSP))[0], size = memory(R(REG_RSP))[1];

	pad->reason_size = size < GO_PAD_REASON ? (uint32_t)size : GO_PAD_REASON;
	copy(pad->reason, (void *)text, pad->reason_size);
	pad->outcome = GO_REFUSED;
	set_turn(pad, GO_LEAVING);
}

// Everything as it was. Its general registers are in debugCallV2's frame, where the runtime has
// adjusted them: the stack may have moved.
static inline void go_home(struct go_pad *pad, ucontext_t *uc)
{
	uint64_t *frame = memory(R(REG_RSP));

	if (pad->is_parked)
		return;
	R(REG_R15) = frame[0x20 / 8];
	R(REG_R14) = frame[0x28 / 8];
	R(REG_R13) = frame[0x30 / 8];
	R(REG_R12) = frame[0x38 / 8];
	R(REG_R11) = frame[0x40 / 8];
	R(REG_R10) = frame[0x48 / 8];
	R(REG_R9) = frame[0x50 / 8];
	R(REG_R8) = frame[0x58 / 8];
	R(REG_RDI) = frame[0x60 / 8];
	R(REG_RSI) = frame[0x68 / 8];
	R(REG_RBX) = frame[0x78 / 8];
	R(REG_RDX) = frame[0x80 / 8];
	R(REG_RCX) = frame[0x88 / 8];
	R(REG_RAX) = frame[0x90 / 8];
	R(REG_RBP) = frame[0x98 / 8];
	R(REG_RIP) = frame[GO_PAD_FRAME / 8];
	R(REG_RSP) += GO_PAD_FRAME + 8;
	R(REG_EFL) = pad->registers[REG_EFL];
	restore_xstate(pad, uc);
}

// By a goroutine that has slept too long, with no debugger that could have taken it back.
static inline bool has_expired(const struct go_pad *pad)
{
	return pad->is_parked && pad->wanted && now() > pad->expires_ns;
}

// It stands behind a breakpoint instruction of debugCallV2's or of what that calls.
static inline bool is_at_breakpoint(const struct go_places *places, uint64_t at)
{
	enum { INT3 = 0xcc };

	return (go_range_has(&places->panicked, at) || go_range_has(&places->dispatch, at) ||
		go_range_has(&places->entry, at)) &&
	       *(const unsigned char *)at == INT3;
}

// What debugCallV2 says by R12; false: nothing that it says there.
static inline bool answer(struct go_pad *pad, ucontext_t *uc, uint64_t g, uint64_t at)
{
	const struct go_places *places = &pad->places;
	uint64_t status = R(REG_R12);

	if (go_range_has(&places->panicked, at) && status == 2) {
		take_panic(pad, uc, g);
	} else if (go_range_has(&places->dispatch, at) && status == 0) {
		// It was given up before it began: it returns at once.
		if (pad->withdrawn != pad->serial && !has_expired(pad))
			begin_call(pad, uc, g);
	} else if (go_range_has(&places->dispatch, at) && status == 1) {
		if (pad->turn == GO_CALLING)
			end_call(pad, uc);
	} else if (go_range_has(&places->entry, at) && status == 8) {
		take_refusal(pad, uc);
	} else if (go_range_has(&places->entry, at) && status == 16) {
		go_home(pad, uc);
		end(pad, 0);
	} else {
		return false;
	}
	return true;
}

// A breakpoint instruction of the conversation that is under way; false: of somebody else's. The
// signal does not tell it: one that was pending when the instruction ran has taken its place. Each is
// answered once: of R12 the runtime makes no use any more, and with another signal right behind the
// same place is seen again.
static inline bool converse(struct go_pad *pad, ucontext_t *uc, uint64_t g)
{
	enum { ANSWERED = -1 };
	uint64_t at = R(REG_RIP) - 1, sp = R(REG_RSP);
	uint32_t turn = __atomic_load_n(&pad->turn, __ATOMIC_SEQ_CST);

	if (turn < GO_TAKEN || turn > GO_LEAVING || !is_at_breakpoint(&pad->places, at) ||
	    !answer(pad, uc, g, at))
		return false;
	if (R(REG_RIP) - 1 == at && R(REG_RSP) == sp)
		R(REG_R12) = (uint64_t)ANSWERED;
	return true;
}

// A function of the runtime, by Go's convention: arguments in AX, BX, CX and DI, the goroutine in R14,
// X15 zero; RBP alone is kept. A callee spills its arguments above its return address.
static inline uint64_t call_go(uint64_t fn, uint64_t g, uint64_t *ax, uint64_t bx, uint64_t cx)
{
	register uint64_t r14 __asm__("r14") = g;
	uint64_t di = 0;

	__asm__ volatile("sub $64, %%rsp\n\t"
			 "xorps %%xmm15, %%xmm15\n\t"
			 "call *%%rdx\n\t"
			 "add $64, %%rsp"
			 : "+a"(*ax), "+b"(bx), "+c"(cx), "+D"(di), "+d"(fn), "+r"(r14)
			 :
			 : "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r15", "cc", "memory");
	return bx;
}

static inline void call_with(uint64_t fn, uint64_t g, uint64_t argument)
{
	call_go(fn, g, &argument, 0, 0);
}

// The runtime's own word on whether a goroutine may be taken off its work where it is: not in
// assembly, which may know its thread, not with a lock or pinned to a processor, not half way
// through a barrier. The debug call's own check is content with less.
static inline bool is_safe(const struct go_pad *pad, ucontext_t *uc, uint64_t g, uint64_t signal_g)
{
	uint64_t ok = g, pc;

	if (!g)
		return false;
	pc = call_go(pad->places.is_safe, signal_g, &ok, R(REG_RIP), R(REG_RSP));
	return (ok & 0xff) && pc == R(REG_RIP);
}

// ---- how one begins -----------------------------------------------------------------------------

static inline uint32_t begin(struct go_pad *pad, ucontext_t *uc, uint64_t g, uint64_t signal_g)
{
	uint64_t sp = R(REG_RSP);

	if (!is_safe(pad, uc, g, signal_g) || sp - memory(g)[0] < GO_PAD_ROOM ||
	    (pad->places.g_locked && *memory(g + pad->places.g_locked)))
		return GO_UNSAFE;
	pad->is_parked = 0;
	for (int i = 0; i < 23; i++)
		pad->registers[i] = R(i);
	save_xstate(pad, uc);
	sp -= 8;
	*memory(sp) = R(REG_RIP);
	*memory(sp - 16) = pad->frame;
	R(REG_RSP) = sp;
	R(REG_RIP) = pad->places.entry.start;
	return GO_NOTHING;
}

// One of our signals: a request, or one that is out of date.
static inline void take_signal(struct go_pad *pad, ucontext_t *uc, uint64_t g, uint64_t signal_g,
			       uint32_t serial)
{
	uint32_t turn = __atomic_load_n(&pad->turn, __ATOMIC_SEQ_CST);

	if (turn == GO_ASKED && serial == pad->serial &&
	    __atomic_compare_exchange_n(&pad->turn, &turn, GO_TAKEN, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST)) {
		pad->outcome = pad->withdrawn == serial ? GO_BUSY : begin(pad, uc, g, signal_g);
		if (pad->outcome != GO_NOTHING)
			end(pad, 1);
	} else if (turn == GO_CALLING && serial == pad->serial && serial == pad->undo &&
		   g == pad->callee && is_safe(pad, uc, g, signal_g)) {
		take_frames(pad, uc, g);
		if (leave(pad, uc, g)) {
			pad->outcome = GO_UNDONE;
			set_turn(pad, GO_LEAVING);
		}
	} else if ((turn == GO_HOME || turn == GO_FREE) &&
		   pad->received + 1 == __atomic_load_n(&pad->sent, __ATOMIC_SEQ_CST)) {
		disarm(pad);
	}
	// Last: the debugger may go on to the next.
	__atomic_store_n(&pad->received, pad->received + 1, __ATOMIC_SEQ_CST);
}

PAD_CODE int go_pad_handle(siginfo_t *info, ucontext_t *uc, uint64_t g, struct go_pad *pad,
			   uint64_t signal_g);
PAD_CODE int go_pad_handle(siginfo_t *info, ucontext_t *uc, uint64_t g, struct go_pad *pad,
			   uint64_t signal_g)
{
	uint64_t number = (uint64_t)info->si_value.sival_ptr;
	bool is_ours = info->si_code == SI_QUEUE && number >> 32 == GO_PAD_MAGIC;

	if (is_ours)
		take_signal(pad, uc, g, signal_g, (uint32_t)number);
	return converse(pad, uc, g) || is_ours;
}

// ---- an idle program ----------------------------------------------------------------------------

enum { G_WAITING = 4, G_SCAN = 0x1000 };

// The collector reads a goroutine's stack only with this in hand. false: it does not wait.
static inline bool hold_goroutine(uint32_t *status)
{
	for (;;) {
		uint32_t waiting = G_WAITING;

		if (__atomic_compare_exchange_n(status, &waiting, G_WAITING | G_SCAN, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
		if ((waiting & ~(uint32_t)G_SCAN) != G_WAITING)
			return false;
		system_call(__NR_sched_yield, 0, 0);
	}
}

static inline uint32_t *status_of(const struct go_pad *pad, uint64_t g)
{
	return (uint32_t *)(g + pad->places.g_status);
}

static inline void let_go(const struct go_pad *pad, uint64_t g)
{
	__atomic_store_n(status_of(pad, g), G_WAITING, __ATOMIC_SEQ_CST);
}

// A parked goroutine goes on where debugCallV2 has passed its check, and returns from there to where
// it had parked.
static inline void push_call(struct go_pad *pad, uint64_t g)
{
	const struct go_places *places = &pad->places;
	uint64_t *frame = memory(*memory(g + places->g_sp) - 8 - GO_PAD_FRAME);

	clear(frame, GO_PAD_FRAME);
	frame[0x18 / 8] = pad->frame;
	frame[0x28 / 8] = g;
	frame[0x98 / 8] = *memory(g + places->g_bp);
	frame[GO_PAD_FRAME / 8] = *memory(g + places->g_pc);
	*memory(g + places->g_sp) = (uint64_t)frame;
	*memory(g + places->g_pc) = places->checked;
	*memory(g + places->g_bp) = (uint64_t)&frame[0x98 / 8];
	*(unsigned char *)(g + places->g_async) = 1; // its stack is not to shrink
	pad->pushed = (uint64_t)frame;
}

static inline bool has_room(const struct go_pad *pad, uint64_t g)
{
	return *memory(g + pad->places.g_sp) - memory(g)[0] >= GO_PAD_ROOM;
}

// One that was asked for by name, where it has parked by itself.
static inline bool push_on_parked(struct go_pad *pad)
{
	uint64_t g = pad->wanted;
	bool done;

	if (!hold_goroutine(status_of(pad, g)))
		return false;
	done = has_room(pad, g) && !(pad->places.g_locked && *memory(g + pad->places.g_locked)) &&
	       go_range_has(&pad->places.park, *memory(g + pad->places.g_pc));
	if (done)
		push_call(pad, g);
	let_go(pad, g);
	return done;
}

// It has not woken yet: as if nobody had asked.
static inline void take_back(struct go_pad *pad)
{
	const struct go_places *places = &pad->places;
	uint64_t g = pad->wanted, *frame = memory(pad->pushed);
	bool done;

	if (pad->turn != GO_TAKEN || !g || !hold_goroutine(status_of(pad, g)))
		return;
	done = *memory(g + places->g_sp) == pad->pushed &&
	       *memory(g + places->g_pc) == places->checked;
	if (done) {
		*memory(g + places->g_sp) = (uint64_t)frame + GO_PAD_FRAME + 8;
		*memory(g + places->g_pc) = frame[GO_PAD_FRAME / 8];
		*memory(g + places->g_bp) = frame[0x98 / 8];
		*(unsigned char *)(g + places->g_async) = 0;
	}
	let_go(pad, g);
	if (done)
		end(pad, 0);
}

// On the system stack of a thread without work. The sweeper sleeps in every program, whoever holds
// its lock may wake it, and woken it finds nothing to do.
PAD_CODE void go_pad_wake_one(struct go_pad *pad, uint64_t g0, uint32_t serial);
PAD_CODE void go_pad_wake_one(struct go_pad *pad, uint64_t g0, uint32_t serial)
{
	const struct go_places *places = &pad->places;
	unsigned char *parked = (unsigned char *)places->sweep_parked;
	uint32_t turn = GO_ASKED;
	uint64_t g = 0, list[2];

	if (pad->serial == serial && pad->takes_back)
		take_back(pad);
	if (pad->serial != serial || pad->takes_back ||
	    !__atomic_compare_exchange_n(&pad->turn, &turn, GO_TAKEN, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return;
	pad->is_parked = 1;
	if (pad->withdrawn == serial) {
		pad->outcome = GO_BUSY;
		end(pad, 0);
		return;
	}
	if (pad->wanted) {
		if (!push_on_parked(pad)) {
			pad->outcome = GO_BUSY;
			end(pad, 0);
		}
		return;
	}
	call_with(places->lock, g0, places->sweep);
	if (*parked) {
		g = *memory(places->sweep_g);
		if (has_room(pad, g))
			*parked = 0;
		else
			g = 0;
	}
	call_with(places->unlock, g0, places->sweep);
	if (!g) {
		pad->outcome = GO_BUSY;
		end(pad, 0);
		return;
	}
	hold_goroutine(status_of(pad, g));
	push_call(pad, g);
	let_go(pad, g);
	list[0] = g;
	list[1] = 1;
	*memory(g + places->g_link) = 0; // of a list that it was on before
	call_with(places->inject, g0, (uint64_t)list);
}

__asm__(".pushsection go_pad_code, \"ax\", @progbits\n"
	"	.globl go_pad_end\n"
	"	.hidden go_pad_end\n"
	"go_pad_end:\n"
	"	.popsection\n");
