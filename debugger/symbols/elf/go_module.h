// SPDX-License-Identifier: MIT
// What Go's linker leaves in a program for its runtime, and strip cannot take away: the table of
// functions, the version, and where the types are described.
#ifndef DEBUGGER_SYMBOLS_GO_MODULE_H
#define DEBUGGER_SYMBOLS_GO_MODULE_H

#include "debugger/symbols/elf/image.h"
#include "debugger/symbols/elf/pclntab.h"
#include "debugger/symbols/elf/symtab.h"
#include "debugger/target/process.h"

struct go_module {
	struct pclntab table; // n is 0 when it cannot be read
	const char *problem; // why not
	uint64_t addr; // of the table, as in the file
	char version[48]; // "go1.19.8"; "": not said
	int minor; // 19; 0: not known
	Elf64_Sym *symbols; // made of the table
	bool sought; // the following, in the target
	uint64_t data; // runtime.firstmoduledata, or what its like begins at; 0: not found
	uint64_t types, end_of_types;
	uint64_t links, nr_links; // offsets of types, by their names
};

// NULL, and *found false: it holds no Go code. bias: of the module in the process.
struct dc_error *go_module_find(struct process *process, const struct image *image, uint64_t bias,
				struct go_module **ret) DC_CHECK;
void go_module_destroy(struct go_module *module); // NULL is fine
// Its functions, for a file that has no table of symbols. false: there are none.
bool go_module_symtab(struct go_module *module, struct symtab *ret);
// Finds data and types, once.
void go_module_need_data(struct go_module *module, struct process *process,
			 const struct image *image, uint64_t bias);

#endif
