// SPDX-License-Identifier: MIT
// Which names after a $ are registers; what they hold is the target's to say.
#include "debugger/values/registers.h"

#include <stdlib.h>
#include <string.h>

bool register_known(const char *name)
{
	static const char *const names[] = {
		"rax",	    "rbx",   "rcx",   "rdx",   "rsi",  "rdi",	"rbp",	   "rsp",
		"rip",	    "eax",   "ebx",   "ecx",   "edx",  "esi",	"edi",	   "ebp",
		"esp",	    "ax",    "bx",    "cx",    "dx",   "si",	"di",	   "bp",
		"al",	    "bl",    "cl",    "dl",    "ah",   "bh",	"ch",	   "dh",
		"sil",	    "dil",   "bpl",   "spl",   "pc",   "sp",	"fp",	   "eflags",
		"cs",	    "ss",    "ds",    "es",    "fs",   "gs",	"fs_base", "gs_base",
		"orig_rax", "mxcsr", "fctrl", "fstat", "ftag", "fiseg", "fioff",   "foseg",
		"fooff",    "fop",
	};
	static const struct {
		const char *prefix;
		int count;
	} banks[] = { { "xmm", 32 }, { "ymm", 32 }, { "zmm", 32 }, { "st", 8 }, { "k", 8 } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	for (size_t i = 0; i < sizeof(banks) / sizeof(banks[0]); i++) {
		size_t n = strlen(banks[i].prefix);
		char *end;

		if (strncmp(name, banks[i].prefix, n) != 0 || name[n] < '0' || name[n] > '9')
			continue;
		return strtol(name + n, &end, 10) < banks[i].count && *end == '\0';
	}
	// r8 to r15, and their low parts.
	if (name[0] == 'r' && name[1] >= '1' && name[1] <= '9') {
		char *end;
		long number = strtol(name + 1, &end, 10);

		return number >= 8 && number <= 15 && strlen(end) <= 1 &&
		       (*end == '\0' || strchr("dwl", *end));
	}
	return false;
}
