// SPDX-License-Identifier: MIT
// The descriptor, filled in by the linker alone: it is right from the first instruction of the
// process on.
#include "runtime/host/host.h"
#include "runtime/sched/core.h"

extern gort__hidden const char __start_gort_text[], __stop_gort_text[], gort__idle_pc[];

#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))

struct debugcall_descriptor debugcall_descriptor = {
	.magic = { 'd', 'e', 'b', 'u', 'g', 'c', 'a', 'l' },
	.size = sizeof(struct debugcall_descriptor),
	.major = DEBUGCALL_MAJOR,
	.minor = DEBUGCALL_MINOR,
	.handshake = DEBUGCALL_HANDSHAKE_SIGNAL,
	.handshake_signal = SIGINT,
	.handshake_start = ADDRESS(gort__handshake_first),
	.handshake_end = ADDRESS(gort__handshake_last),
	.entry = ADDRESS(gort__debugcall_entry),
	.idle_entry = ADDRESS(gort__debugcall_entry),
	.idle_start = ADDRESS(gort__idle_pc),
	.idle_end = ADDRESS(gort__idle_pc) + 1,
	.abandon_entry = ADDRESS(gort__debugcall_abandon_entry),
	.text_start = ADDRESS(__start_gort_text),
	.text_end = ADDRESS(__stop_gort_text),
	.all_g = ADDRESS(&sched.allg),
	.all_m = ADDRESS(&sched.allm),
	.now = ADDRESS(&sched.coarse_now),
	.statuses = ADDRESS(gort__g_status_text),
	.nr_statuses = G_STATUSES,
	.wait_reasons = ADDRESS(gort__wait_reason_text),
	.nr_wait_reasons = WAIT_REASONS,
	.status_running = G_RUNNING,
	.status_waiting = G_WAITING,
	.status_dead = G_DEAD,
	.g = {
		.size = sizeof(struct g),
		.next = offsetof(struct g, allnext),
		.id = offsetof(struct g, id),
		.status = offsetof(struct g, status),
		.flags = offsetof(struct g, flags),
		.wait_reason = offsetof(struct g, wait_reason),
		.wait_since = offsetof(struct g, wait_since),
		.m = offsetof(struct g, m),
		.locked_m = offsetof(struct g, lockedm),
		.stack_low = offsetof(struct g, stack.lo),
		.stack_high = offsetof(struct g, stack.hi),
		.saved_sp = offsetof(struct g, sp),
		.creator_id = offsetof(struct g, creator_id),
		.creator_pc = offsetof(struct g, creator_pc),
		.label = offsetof(struct g, label),
	},
	.m = {
		.size = sizeof(struct m),
		.next = offsetof(struct m, allnext),
		.id = offsetof(struct m, id),
		.tid = offsetof(struct m, tid),
		.current = offsetof(struct m, curg),
		.p = offsetof(struct m, p),
		.in_runtime = offsetof(struct m, in_runtime),
		.call = offsetof(struct m, call),
	},
	.saved = {
		.size = sizeof(struct switch_frame),
		.rbx = offsetof(struct switch_frame, rbx),
		.rbp = offsetof(struct switch_frame, rbp),
		.r12 = offsetof(struct switch_frame, r12),
		.r13 = offsetof(struct switch_frame, r13),
		.r14 = offsetof(struct switch_frame, r14),
		.r15 = offsetof(struct switch_frame, r15),
		.pc = offsetof(struct switch_frame, pc),
	},
	.wanted = ADDRESS(&gort__debugcall_wanted),
	.attend_start = ADDRESS(gort__attend_pc),
	.attend_end = ADDRESS(gort__attend_pc) + 1,
	.m_attend = offsetof(struct m, retake),
	.attend_asked = RETAKE_ATTEND,
};
_Static_assert((int)G_SYSTEM == (int)DEBUGCALL_G_SYSTEM, "protocol/descriptor.h");

// The exported name could be another module's; this one is always ours.
extern gort__hidden struct debugcall_descriptor gort__descriptor
	__attribute__((alias("debugcall_descriptor")));

// The note that leads to it: owner, type, and the distance to the descriptor.
__asm__(".pushsection .note.debugcall, \"a\", @note\n"
	".balign 4\n"
	".long 2f - 1f, 4f - 3f, 1\n"
	"1: .asciz \"debugcall\"\n"
	"2: .balign 4\n"
	"3: .quad gort__descriptor - .\n"
	"4: .balign 4\n"
	".popsection\n");
