// SPDX-License-Identifier: MIT
// The language that a part of a program was written in.
#ifndef DEBUGGER_SYMBOLS_SOURCE_LANGUAGE_H
#define DEBUGGER_SYMBOLS_SOURCE_LANGUAGE_H

enum source_language {
	SOURCE_UNSAID, // not known; dwz's partial units do not say, and what they share is mostly C
	SOURCE_C, // Objective-C too
	SOURCE_CXX, // Objective-C++ too
	SOURCE_ASSEMBLER,
	SOURCE_ADA,
	SOURCE_COBOL,
	SOURCE_CRYSTAL,
	SOURCE_D,
	SOURCE_FORTRAN,
	SOURCE_GO,
	SOURCE_HASKELL,
	SOURCE_JAVA,
	SOURCE_JULIA,
	SOURCE_KOTLIN,
	SOURCE_MODULA,
	SOURCE_OCAML,
	SOURCE_PASCAL,
	SOURCE_RUST,
	SOURCE_SWIFT,
	SOURCE_ZIG,
	SOURCE_OTHER, // said, but by a number that is not known here
};

#endif
