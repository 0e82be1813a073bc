// SPDX-License-Identifier: MIT
// Offsets that assembly uses; sched/schedule.c and host/host.c compare them with the structures.
#ifndef RUNTIME_AMD64_OFFSETS_H
#define RUNTIME_AMD64_OFFSETS_H

#define G_SP	     0
#define M_CURG	     8
#define M_SYS_SP     24
#define M_MXCSR	     32
#define M_X87CW	     36
#define SWITCH_FRAME 64

// struct speaker
#define CALL_PID       0
#define CALL_TID       4
#define CALL_SIZE      8
#define CALL_MASK      16
#define CALL_FLAG      24
#define CALL_ABANDONED 32

// What the entry of debug calls pushes below the interrupted PC, in 8-byte words.
#define ENTRY_WORDS 18

#endif
