// SPDX-License-Identifier: MIT
// Variables of Go's runtime by the instructions that name them, for programs without symbols. Each
// takes the code of one function and its address; 0: it has nothing like that, or several.
#ifndef DEBUGGER_ARCH_X86_64_GO_CODE_H
#define DEBUGGER_ARCH_X86_64_GO_CODE_H

#include <stddef.h>
#include <stdint.h>

// runtime.testSigtrap, which sighandler calls before all else on SIGTRAP.
uint64_t go_code_hook(const unsigned char *code, size_t n, uint64_t addr);
// runtime.sweep: bgsweep takes its lock, and marks it as parked.
uint64_t go_code_sweep(const unsigned char *code, size_t n, uint64_t addr);
// The slice that a function appends to: runtime.allgs in allgadd.
uint64_t go_code_slice(const unsigned char *code, size_t n, uint64_t addr);
// The head of a list that a function puts something in front of: runtime.allm in mcommoninit.
uint64_t go_code_list(const unsigned char *code, size_t n, uint64_t addr);
// The array of texts that a method picks from: runtime.waitReasonStrings in waitReason.String.
uint64_t go_code_texts(const unsigned char *code, size_t n, uint64_t addr);

#endif
