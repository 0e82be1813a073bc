// SPDX-License-Identifier: MIT
// Offsets that assembly uses; sched/schedule.c compares them with the structures.
#ifndef RUNTIME_AMD64_OFFSETS_H
#define RUNTIME_AMD64_OFFSETS_H

#define G_SP	     0
#define M_CURG	     8
#define M_SYS_SP     24
#define M_MXCSR	     32
#define M_X87CW	     36
#define SWITCH_FRAME 64

#endif
