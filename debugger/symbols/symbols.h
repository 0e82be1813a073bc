// SPDX-License-Identifier: MIT
// The names of a target: its modules, their symbol tables and debug information.
// Loading reads files and the target's memory; it never stops a thread.
#ifndef DEBUGGER_SYMBOLS_SYMBOLS_H
#define DEBUGGER_SYMBOLS_SYMBOLS_H

#include "debugger/base/error.h"
#include "debugger/symbols/source_language.h"
#include "debugger/symbols/type.h"
#include "debugger/target/process.h"

struct symbols;

// Reads the module list of the process; symbol tables and DWARF are read when first needed.
struct dc_error *symbols_load(struct process *process, struct symbols **ret) DC_CHECK;
void symbols_destroy(struct symbols *symbols);
struct types *symbols_types(struct symbols *symbols);
// Modules mapped since (dlopen) are added. Cheap when nothing changed.
struct dc_error *symbols_refresh(struct symbols *symbols) DC_CHECK;

struct module {
	const char *name; // base name of the file, "[vdso]", …
	const char *path; // as the target sees it
	uint64_t start, end; // addresses in the target
	uint64_t bias; // address in the target minus address in the file
	bool has_dwarf; // of its own, or of a separate file once a look-up needed that
	char *problem; // why a part of it could not be read; NULL when all is well
	// The first bytes at start as they were then: headers, and with them what identifies a
	// build.
	unsigned char witness[1024];
	size_t nr_witness;
};
// The code or data at addr is still of the module that it was of. True for what is no module's.
bool symbols_stand(struct symbols *symbols, uint64_t addr);
// In load order, the program first. The array is valid until the next refresh, a module for ever.
size_t symbols_modules(struct symbols *symbols, const struct module *const **ret);

struct function {
	const char *name;
	uint64_t addr, size;
	const struct module *module;
	const struct type *type; // NULL without debug information
	enum source_language language; // whose calls its are
	bool is_ifunc; // addr is the resolver
	bool is_global;
	// The compiler may have known all its callers, and made it fit them (by the debug
	// information, whatever the symbol says), and it did optimize.
	bool is_local, is_optimized;
	// Why it is not called as its source says (DW_AT_calling_convention, a clone); NULL: it is.
	const char *no_call;
};

// Where a local is in whatever frame stands at its place: in a register (by its DWARF number), or in
// memory so far from what is in one.
struct variable_root {
	enum { ROOT_NONE, ROOT_REGISTER, ROOT_MEMORY } kind; // NONE: no one register tells it
	int reg;
	int64_t offset;
};

struct variable {
	const char *name;
	const struct type *type; // NULL without debug information
	const struct module *module;
	enum {
		VARIABLE_MEMORY,
		VARIABLE_REGISTER,
		VARIABLE_CONSTANT,
		VARIABLE_TLS,
		VARIABLE_THREAD,
		VARIABLE_GONE
	} place;
	uint64_t addr; // MEMORY: in the target; TLS: offset in the module's block;
		// THREAD: from the thread pointer
	int reg; // REGISTER: DWARF number (psABI figure 3.36)
	const void *bytes; // CONSTANT: type->size bytes
	size_t nr_bytes;
	const char *why_gone; // GONE: "optimized out", …
	bool is_around; // a local of a function that the frame's is nested in
	struct variable_root root; // looked up with a place alone, in a frame without registers
};

// A frame above another one.
struct symbols_caller {
	uint64_t pc; // in the call
	uint64_t cfa;
	uint64_t regs[17];
	uint32_t valid;
};

// What an expression's place in the program is; pc 0 means no frame.
struct symbols_frame {
	uint64_t pc; // already adjusted for a call site where that is wanted
	uint64_t cfa;
	uint64_t regs[17]; // DWARF numbers 0-16 of the frame
	uint32_t valid; // bit per register
	// So many of the functions that are inlined at pc are not meant, from the innermost on: the
	// frame is of the one around them.
	unsigned inlined;
	// Who called, and who called that: what the function was passed may be known only there.
	struct symbols_caller callers[4];
	size_t nr_callers;
};

// A name as C would find it from the frame: block scopes outward, the unit's statics, globals of
// the module, then of the others. code NAME when there is none (symbols_suggest() is the caller's
// to ask), VALUE when there is but it is not one: several of the name, or inlined everywhere.
struct dc_error *symbols_lookup_variable(struct symbols *symbols, const struct symbols_frame *frame,
					 const char *name, struct variable *ret) DC_CHECK;
struct dc_error *symbols_lookup_function(struct symbols *symbols, const struct symbols_frame *frame,
					 const char *name, struct function *ret) DC_CHECK;
// The one whose first instruction is at the address; false: there is no code of such a name.
bool symbols_function_at(struct symbols *symbols, uint64_t addr, struct function *ret);
// The same by the symbol tables of the mapped files alone: no type, and no debug information is
// read. false: none of them has the name.
bool symbols_named_function(struct symbols *symbols, const char *name, struct function *ret);
// A call of it may load libraries: it is the dynamic linker's own, or its module calls that.
bool symbols_may_load(const struct function *function);
// C++: the functions of that qualified name, each named in full ("ns::f(int)"); with parameters in
// the name, or where only one has it, that one. n is 0 when there is none, or when the name is C's.
struct dc_error *symbols_overloads(struct symbols *symbols, const char *name,
				   const struct function **ret, size_t *n) DC_CHECK;
// The same of an operator, "ns::operator+": only those of just that name, templates' too.
struct dc_error *symbols_operators(struct symbols *symbols, const char *name,
				   const struct function **ret, size_t *n) DC_CHECK;
// The type of which a std::type_info has this name; malloc'd, NULL: it cannot be told.
char *symbols_type_name(const char *mangled);
// Where the program has its std::type_info of the type. false: it has none.
bool symbols_type_info(struct symbols *symbols, const char *type, uint64_t *addr);
// The last part of a qualified name, behind its scopes.
const char *symbols_last_part(const char *name);
// Whether the full name, "ns::f(int)", is one that the user's, "ns::f" or "f", may mean.
bool symbols_is_named(const char *full, const char *name);
// The namespaces and classes around the frame's function, "ns::C"; malloc'd, NULL: there are none.
char *symbols_scope(struct symbols *symbols, const struct symbols_frame *frame);
// C++: names that this one may stand for, by inline namespaces, using-directives, using-declarations
// and other names of namespaces: in the scopes that it names, and in those around the frame.
enum { OTHER_NAMES_MAX = 32 };
size_t symbols_other_names(struct symbols *symbols, const struct symbols_frame *frame,
			   const char *name, const char *ret[OTHER_NAMES_MAX]);
// What a using-declaration in a block around the frame makes it; NULL: none does.
const char *symbols_declared_name(struct symbols *symbols, const struct symbols_frame *frame,
				  const char *name);
// The language of the frame's unit.
enum source_language symbols_language(struct symbols *symbols, const struct symbols_frame *frame);
// Whether any of the files has C++ names; whether the program itself has.
bool symbols_has_cxx(struct symbols *symbols);
bool symbols_is_cxx(struct symbols *symbols);
// There is no dynamic linker: the program has everything in it.
bool symbols_is_static(const struct symbols *symbols);
struct method {
	struct function function; // addr 0: there is no code of its own
	bool is_static;
	bool is_explicit; // a constructor or conversion for whom asks for it only
	bool is_copy; // a constructor that copies or moves
	bool is_for_objects, is_for_values; // declared with & or && behind
	bool is_virtual; // the one to call is in the object's virtual table, at slot
	uint64_t slot;
};
// Those of that name which the C++ class has itself; NULL: its conversions to other types.
struct dc_error *symbols_methods(struct symbols *symbols, const struct type *class,
				 const char *name, const struct method **ret, size_t *n) DC_CHECK;
// The constructors that the class declares, as functions that take the object to be made first. addr 0:
// there is no code of it.
struct dc_error *symbols_constructors(struct symbols *symbols, const struct type *type,
				      const struct method **ret, size_t *n) DC_CHECK;
// The one that the class itself declares for that place in its virtual table; false: there is none.
bool symbols_virtual_method(struct symbols *symbols, const struct type *class, uint64_t slot,
			    struct method *ret);
// The static members of a C++ class, in the order of its parts: behind so many of type_members().
struct static_member {
	struct variable variable; // GONE: it is nowhere
	size_t before;
};
struct dc_error *symbols_static_members(struct symbols *symbols, const struct type *class,
					const struct static_member **ret, size_t *n) DC_CHECK;
// C++: what copies, moves or ends an object of the class. *is_needed false: nothing is called for it,
// its bytes are all. Code REFUSED: there is none, or none that could be called.
enum special_kind { OBJECT_COPY, OBJECT_MOVE, OBJECT_DESTROY };
struct dc_error *symbols_special(struct symbols *symbols, const struct type *type,
				 enum special_kind kind, struct function *ret,
				 bool *is_needed) DC_CHECK;
// 'file.c'::name. Only what was compiled from that file; code NAME when it has no such thing, VALUE
// when several files have.
struct dc_error *symbols_function_in_file(struct symbols *symbols, const char *file,
					  const char *name, struct function *ret) DC_CHECK;
struct dc_error *symbols_variable_in_file(struct symbols *symbols, const char *file,
					  const char *name, struct variable *ret) DC_CHECK;
// Whether the program, or a library with debug information, was compiled from a file of that name.
bool symbols_has_file(struct symbols *symbols, const char *file);
// A library's separate debug file costs tens of milliseconds to open; a look-up leaves type NULL
// instead. For callers that know no prototype by other means this opens it, and fills in what it
// says.
void symbols_function_type(struct symbols *symbols, struct function *function);
struct dc_error *symbols_lookup_enumerator(struct symbols *symbols,
					   const struct symbols_frame *frame, const char *name,
					   const struct type **type, int64_t *value) DC_CHECK;
// tag: "struct", "union", "enum", or NULL for a typedef, a basic type or a C++ class.
struct dc_error *symbols_lookup_type(struct symbols *symbols, const struct symbols_frame *frame,
				     const char *tag, const char *name,
				     const struct type **ret) DC_CHECK;
// What a macro stands for, as it is written behind its name: " 5", "(a) (a + 1)". NULL: there is none of
// that name. Code VALUE: there are several.
struct dc_error *symbols_macro(struct symbols *symbols, const struct symbols_frame *frame,
			       const char *name, const char **ret) DC_CHECK;
// The full definition of a type that this unit only declares; the type itself when there is none.
const struct type *symbols_complete(struct symbols *symbols, const struct type *type);
// The variable's address for one thread; fs_base is the thread's. ELF TLS variant II.
struct dc_error *symbols_tls_address(struct symbols *symbols, const struct variable *variable,
				     uint64_t fs_base, uint64_t *ret) DC_CHECK;
// Where every thread has its errno, from its thread pointer on; false: no C library that is known.
bool symbols_errno(struct symbols *symbols, int64_t *offset);
// An IFUNC's bound target from a GOT slot that names it, 0 when no slot is bound yet.
uint64_t symbols_bound_ifunc(struct symbols *symbols, const struct function *function);
// What the program's file lacks or is, for a name that is not found: "it is stripped …"; NULL:
// nothing.
const char *symbols_why_unknown(struct symbols *symbols);
// The nearest known name, NULL when none is near.
const char *symbols_suggest(struct symbols *symbols, const char *name);

// What is at an address. Strings live as long as symbols. Unknown parts stay zero.
struct dc_frame symbols_describe(struct symbols *symbols, uint64_t addr);
// The same with the functions that were inlined there, the innermost first; the last is the one that
// has the code. At least one.
size_t symbols_describe_inlined(struct symbols *symbols, uint64_t addr, struct dc_frame *ret,
				size_t max);

// A place in the code that somebody names: FUNCTION (behind its prologue, where arguments are
// valid), FILE:LINE, *ADDRESS. A name has as many as there are: inlined copies, instances of a
// template, statics of several files. Sorted by address, malloc'd; code NAME: there is none.
struct code_place {
	uint64_t addr;
	bool is_inlined; // a copy in another function
};
struct dc_error *symbols_places(struct symbols *symbols, const char *text, struct code_place **ret,
				size_t *n) DC_CHECK;
// The rows of the line table that belong to the line at addr, as one piece: all addresses from
// start up to end are of it. False: no line is known there.
struct line_block {
	uint64_t start, end;
	const char *file;
	int line;
	bool is_start; // a statement begins at addr itself
};
bool symbols_line_block(struct symbols *symbols, uint64_t addr, struct line_block *ret);

// Where the body of the function begins whose first instruction is at entry; else entry.
uint64_t symbols_body(struct symbols *symbols, uint64_t entry);

// Symbol alone: name and offset for `<main+4>`; false when none covers the address.
bool symbols_name_of(struct symbols *symbols, uint64_t addr, const char **name, uint64_t *offset);

// Sized code ranges of symbols, from .symtab or .dynsym or the DWARF, for safe-point tables. pick
// says whether the symbol belongs, and, asked with no name, whether any of the module can. Ranges
// are sorted, merged and malloc'd.
struct range {
	uint64_t start, end;
	const char *what; // the symbol's name
};
struct dc_error *symbols_ranges(struct symbols *symbols,
				bool (*pick)(const struct module *, const char *name, void *),
				void *arg, struct range **ret, size_t *n) DC_CHECK;

struct dc_error *symbols_each_function(struct symbols *symbols,
				       bool (*visit)(const struct function *, void *),
				       void *arg) DC_CHECK;
// Global and static variables by their DIEs, then those that have symbols alone. Strings live as
// long as the symbols.
struct listed_variable {
	struct variable variable; // addr 0: it has no fixed place
	const char *file;
	int line;
};
struct dc_error *symbols_each_variable(struct symbols *symbols,
				       bool (*visit)(const struct listed_variable *, void *),
				       void *arg) DC_CHECK;
// tag: "struct" and so on, or NULL.
struct dc_error *symbols_each_type(struct symbols *symbols,
				   bool (*visit)(const char *tag, const char *name, void *),
				   void *arg) DC_CHECK;
// Functions and variables of symbol tables whose names begin so: no debug information is read.
struct dc_error *symbols_each_beginning(struct symbols *symbols, const char *prefix,
					bool (*visit)(const char *name, void *),
					void *arg) DC_CHECK;

#endif
