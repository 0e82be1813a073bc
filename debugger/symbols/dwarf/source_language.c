// SPDX-License-Identifier: MIT
// What DW_AT_language says, with the editions of one language as one.
#include "debugger/symbols/dwarf/units.h"

#include <dwarf.h>

// Since DWARF 5; not in every <dwarf.h>.
enum {
	LANG_KOTLIN = 0x26,
	LANG_ZIG = 0x27,
	LANG_CRYSTAL = 0x28,
	LANG_CXX17 = 0x2a,
	LANG_CXX20 = 0x2b,
	LANG_C17 = 0x2c,
	LANG_FORTRAN18 = 0x2d,
	LANG_ADA2005 = 0x2e,
	LANG_ADA2012 = 0x2f,
};

enum source_language die_language(Dwarf_Die *die)
{
	Dwarf_Die unit;
	Dwarf_Attribute attr;
	Dwarf_Word language;

	if (!dwarf_cu_die(die->cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) ||
	    !dwarf_attr_integrate(&unit, DW_AT_language, &attr) ||
	    dwarf_formudata(&attr, &language))
		return SOURCE_UNSAID;
	switch (language) {
	case DW_LANG_C:
	case DW_LANG_C89:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_ObjC:
	case DW_LANG_UPC:
	case DW_LANG_OpenCL:
	case DW_LANG_RenderScript:
	case LANG_C17: return SOURCE_C;
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_ObjC_plus_plus:
	case LANG_CXX17:
	case LANG_CXX20: return SOURCE_CXX;
	case DW_LANG_Mips_Assembler: return SOURCE_ASSEMBLER;
	case DW_LANG_Ada83:
	case DW_LANG_Ada95:
	case LANG_ADA2005:
	case LANG_ADA2012: return SOURCE_ADA;
	case DW_LANG_Cobol74:
	case DW_LANG_Cobol85: return SOURCE_COBOL;
	case LANG_CRYSTAL: return SOURCE_CRYSTAL;
	case DW_LANG_D: return SOURCE_D;
	case DW_LANG_Fortran77:
	case DW_LANG_Fortran90:
	case DW_LANG_Fortran95:
	case DW_LANG_Fortran03:
	case DW_LANG_Fortran08:
	case LANG_FORTRAN18: return SOURCE_FORTRAN;
	case DW_LANG_Go: return SOURCE_GO;
	case DW_LANG_Haskell: return SOURCE_HASKELL;
	case DW_LANG_Java: return SOURCE_JAVA;
	case DW_LANG_Julia: return SOURCE_JULIA;
	case LANG_KOTLIN: return SOURCE_KOTLIN;
	case DW_LANG_Modula2:
	case DW_LANG_Modula3: return SOURCE_MODULA;
	case DW_LANG_OCaml: return SOURCE_OCAML;
	case DW_LANG_Pascal83: return SOURCE_PASCAL;
	case DW_LANG_Rust: return SOURCE_RUST;
	case DW_LANG_Swift: return SOURCE_SWIFT;
	case LANG_ZIG: return SOURCE_ZIG;
	default: return SOURCE_OTHER;
	}
}

bool source_is_c(enum source_language language)
{
	return language == SOURCE_UNSAID || language == SOURCE_C || language == SOURCE_CXX ||
	       language == SOURCE_ASSEMBLER;
}
