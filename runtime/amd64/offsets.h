// SPDX-License-Identifier: MIT
// Offsets that assembly uses; sched/offsets_check.c compares them with the structures.
#ifndef RUNTIME_AMD64_OFFSETS_H
#define RUNTIME_AMD64_OFFSETS_H

#define G_SP	     0
#define M_CURG	     8
#define M_SYS_SP     24
#define SWITCH_FRAME 64

#endif
