// SPDX-License-Identifier: MIT
// libFuzzer: any bytes as an expression; parsed, checked, and run against a target that answers
// every read with the same bytes. Errors are fine, all else is not.
#include "debugger/symbols/types/type_table.h"
#include "debugger/lang/language.h"
#include "debugger/symbols/go.h"

#include <string.h>

// A program of a few names stands in for symbols/: lookups must cost nothing here.
struct symbols {
	struct types *types;
	const struct type *point, *inner, *function, *variadic, *old_style, *flags;
};
static struct symbols program;

struct types *symbols_types(struct symbols *symbols)
{
	return symbols->types;
}

static struct dc_error *no_name(const char *name)
{
	return error_make(DC_NAME, "no %s", name);
}

// The target: memory that repeats the input, calls that return zeros.
static const uint8_t *input;
static size_t input_size;
static uint64_t literals;

static const struct module libc = { .name = "libc.so.6" };

struct dc_error *symbols_lookup_function(struct symbols *symbols, const struct symbols_frame *frame,
					 const char *name, struct function *ret)
{
	static const char *const names[] = { "add", "printf", "kr", "nodebug", "strlen" };
	const struct type *types[] = { symbols->function, symbols->variadic, symbols->old_style,
				       NULL, NULL };

	(void)frame;
	for (size_t i = 0; i < 5; i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		*ret = (struct function){ .name = names[i],
					  .addr = 0x1000 + 16 * i,
					  .type = types[i],
					  .is_ifunc = i == 4,
					  .module = i == 4 ? &libc : NULL };
		return NULL;
	}
	return no_name(name);
}

struct dc_error *symbols_lookup_variable(struct symbols *symbols, const struct symbols_frame *frame,
					 const char *name, struct variable *ret)
{
	struct types *types = symbols->types;

	(void)frame;
	*ret = (struct variable){ .name = name, .addr = 0x2000 };
	if (strcmp(name, "g") == 0)
		ret->type = types_basic(types, "int");
	else if (strcmp(name, "d") == 0)
		ret->type = types_basic(types, "double");
	else if (strcmp(name, "p") == 0)
		ret->type = types_pointer(types, symbols->point);
	else if (strcmp(name, "s") == 0)
		ret->type = symbols->point;
	else if (strcmp(name, "arr") == 0)
		ret->type = types_array(types, types_basic(types, "int"), 4);
	else if (strcmp(name, "fp") == 0)
		ret->type = types_pointer(types, symbols->function);
	else if (strcmp(name, "v") == 0)
		ret->type = types_vector(types, types_basic(types, "float"), 4);
	else if (strcmp(name, "z") == 0)
		ret->type = types_basic(types, "double _Complex");
	else if (strcmp(name, "e") == 0)
		ret->type = symbols->flags;
	else if (strcmp(name, "raw") != 0)
		return no_name(name);
	return NULL;
}

// Nothing here is Go's.
const struct language language_go = { .name = "Go" };

bool symbols_is_go(struct symbols *symbols)
{
	(void)symbols;
	return false;
}

bool type_is_go(const struct type *type)
{
	(void)type;
	return false;
}

void type_go_spell(FILE *out, const struct type *type, const char *name)
{
	(void)out, (void)type, (void)name;
	__builtin_trap();
}

char *symbols_scope(struct symbols *symbols, const struct symbols_frame *frame)
{
	(void)symbols, (void)frame;
	return NULL;
}

bool symbols_errno(struct symbols *symbols, int64_t *offset)
{
	(void)symbols;
	*offset = -64;
	return true;
}

size_t symbols_modules(struct symbols *symbols, const struct module *const **ret)
{
	(void)symbols, (void)ret;
	return 0;
}

void symbols_function_type(struct symbols *symbols, struct function *function)
{
	(void)symbols, (void)function;
}

struct dc_error *symbols_overloads(struct symbols *symbols, const char *name,
				   const struct function **ret, size_t *n)
{
	(void)symbols;
	(void)name;
	(void)ret;
	*n = 0;
	return NULL;
}

struct dc_error *symbols_methods(struct symbols *symbols, const struct type *class,
				 const char *name, const struct method **ret, size_t *n)
{
	(void)symbols;
	(void)class;
	(void)name;
	(void)ret;
	*n = 0;
	return NULL;
}

size_t symbols_other_names(struct symbols *symbols, const struct symbols_frame *frame,
			   const char *name, const char *ret[OTHER_NAMES_MAX])
{
	(void)symbols, (void)frame, (void)name, (void)ret;
	return 0;
}

const char *symbols_declared_name(struct symbols *symbols, const struct symbols_frame *frame,
				  const char *name)
{
	(void)symbols, (void)frame, (void)name;
	return NULL;
}

struct dc_error *symbols_operators(struct symbols *symbols, const char *name,
				   const struct function **ret, size_t *n)
{
	return symbols_overloads(symbols, name, ret, n);
}

const char *symbols_last_part(const char *name)
{
	return name;
}

struct dc_error *symbols_special(struct symbols *symbols, const struct type *type,
				 enum special_kind kind, struct function *ret, bool *is_needed)
{
	(void)symbols;
	(void)type;
	(void)kind;
	*ret = (struct function){ 0 };
	*is_needed = false;
	return NULL;
}

struct dc_error *symbols_constructors(struct symbols *symbols, const struct type *type,
				      const struct method **ret, size_t *n)
{
	(void)symbols, (void)type, (void)ret;
	*n = 0;
	return NULL;
}

bool symbols_virtual_method(struct symbols *symbols, const struct type *class, uint64_t slot,
			    struct method *ret)
{
	(void)symbols, (void)class, (void)slot, (void)ret;
	return false;
}

struct dc_error *symbols_static_members(struct symbols *symbols, const struct type *class,
					const struct static_member **ret, size_t *n)
{
	(void)symbols, (void)class, (void)ret;
	*n = 0;
	return NULL;
}

struct dc_error *symbols_macro(struct symbols *symbols, const struct symbols_frame *frame,
			       const char *name, const char **ret)
{
	static const struct {
		const char *name, *text;
	} macros[] = { { "LIMIT", " 1 + 2" },
		       { "TWICE", "(a) ((a) * LIMIT, #a)" },
		       { "SELF", " SELF" } };

	(void)symbols, (void)frame;
	*ret = NULL;
	for (size_t i = 0; i < sizeof(macros) / sizeof(*macros); i++) {
		if (!strcmp(macros[i].name, name))
			*ret = macros[i].text;
	}
	return NULL;
}

bool symbols_type_info(struct symbols *symbols, const char *type, uint64_t *addr)
{
	(void)symbols, (void)type, (void)addr;
	return false;
}

bool symbols_may_load(const struct function *function)
{
	(void)function;
	return false;
}

enum source_language symbols_language(struct symbols *symbols, const struct symbols_frame *frame)
{
	(void)symbols, (void)frame;
	return SOURCE_UNSAID;
}

// Every other input is read as C.
bool symbols_has_cxx(struct symbols *symbols)
{
	(void)symbols;
	return input_size & 1;
}

bool symbols_is_cxx(struct symbols *symbols)
{
	(void)symbols;
	return true;
}

bool symbols_is_static(const struct symbols *symbols)
{
	(void)symbols;
	return false;
}

bool symbols_function_at(struct symbols *symbols, uint64_t addr, struct function *ret)
{
	(void)symbols;
	(void)addr;
	(void)ret;
	return false;
}

bool type_argument(const struct type *class, size_t i, struct type_argument *ret)
{
	(void)class;
	(void)i;
	(void)ret;
	return false;
}

const struct type *type_nested(const struct type *class, const char *name)
{
	(void)class;
	(void)name;
	return NULL;
}

const char *symbols_why_unknown(struct symbols *symbols)
{
	(void)symbols;
	return NULL;
}

bool symbols_has_file(struct symbols *symbols, const char *file)
{
	(void)symbols;
	return !strcmp(file, "file.c");
}

struct dc_error *symbols_function_in_file(struct symbols *symbols, const char *file,
					  const char *name, struct function *ret)
{
	(void)file;
	return symbols_lookup_function(symbols, NULL, name, ret);
}

struct dc_error *symbols_variable_in_file(struct symbols *symbols, const char *file,
					  const char *name, struct variable *ret)
{
	(void)file;
	return symbols_lookup_variable(symbols, NULL, name, ret);
}

struct dc_error *symbols_lookup_enumerator(struct symbols *symbols,
					   const struct symbols_frame *frame, const char *name,
					   const struct type **type, int64_t *value)
{
	(void)frame;
	if (strcmp(name, "A") != 0 && strcmp(name, "B") != 0)
		return no_name(name);
	*type = symbols->flags;
	*value = name[0] == 'A' ? 1 : 2;
	return NULL;
}

struct dc_error *symbols_lookup_type(struct symbols *symbols, const struct symbols_frame *frame,
				     const char *tag, const char *name, const struct type **ret)
{
	(void)frame;
	if (tag && strcmp(tag, "struct") == 0 && strcmp(name, "P") == 0)
		*ret = symbols->point;
	else if (tag && strcmp(tag, "enum") == 0 && strcmp(name, "F") == 0)
		*ret = symbols->flags;
	else
		return no_name(name);
	return NULL;
}

const struct type *symbols_complete(struct symbols *symbols, const struct type *type)
{
	(void)symbols;
	return type;
}

struct dc_error *symbols_tls_address(struct symbols *symbols, const struct variable *variable,
				     uint64_t fs_base, uint64_t *ret)
{
	(void)symbols, (void)fs_base;
	*ret = variable->addr;
	return NULL;
}

uint64_t symbols_bound_ifunc(struct symbols *symbols, const struct function *function)
{
	(void)symbols, (void)function;
	return 0;
}

const char *symbols_suggest(struct symbols *symbols, const char *name)
{
	(void)symbols, (void)name;
	return "add";
}

bool symbols_name_of(struct symbols *symbols, uint64_t addr, const char **name, uint64_t *offset)
{
	(void)symbols;
	*name = "somewhere";
	*offset = addr & 15;
	return addr < 0x10000;
}

// The parts of the one struct and the one enum; symbols/ would read them from DWARF.
struct dc_error *type_read_parts(struct type_node *node)
{
	static struct type_enumerator enumerators[] = { { "A", 1 }, { "B", 2 } };
	static struct type_member members[] = {
		{ .name = "a" },
		{ .name = "b", .offset = 8 },
		{ .name = "f", .offset = 16, .bit_offset = 3, .bit_size = 7 },
		{ .name = "s", .offset = 24 },
		{ .name = NULL, .offset = 40 },
	};
	static struct type_member inner[] = { { .name = "x" }, { .name = "y", .offset = 4 } };
	struct types *types = program.types;
	const struct type *integer = types_basic(types, "int");

	if (node->parts == PARTS_READ || !node->type.tag)
		return NULL;
	node->parts = PARTS_READ;
	if (node->type.kind == TYPE_ENUM) {
		node->enumerators = enumerators;
		node->nr_parts = 2;
	} else if (node->type.name) {
		members[0].type = members[2].type = integer;
		members[1].type = types_basic(types, "double");
		members[3].type = types_pointer(types, types_basic(types, "char"));
		members[4].type = program.inner;
		node->members = members;
		node->nr_parts = 5;
	} else {
		inner[0].type = inner[1].type = integer;
		node->members = inner;
		node->nr_parts = 2;
	}
	return NULL;
}

static struct type *make(const void *key, enum type_kind kind, const char *tag, const char *name,
			 uint64_t size)
{
	bool made;
	struct type *type = &types_intern(program.types, key, 1, &made)->type;

	type->kind = kind;
	type->tag = tag;
	type->name = name;
	type->size = size;
	type->align = size > 8 ? 8 : 4;
	return type;
}

static void build_program(void)
{
	static const char keys[3];
	struct types *types = program.types = types_create();
	const struct type *integer = types_basic(types, "int");
	const struct type_param two[] = { { .name = "a", .type = integer },
					  { .name = "b", .type = integer } };
	const struct type_param text = { .name = "format",
					 .type = types_pointer(types, types_basic(types, "char")) };
	const struct type_param old = { .name = "f", .type = types_basic(types, "float") };

	program.inner = make(&keys[2], TYPE_UNION, "union", NULL, 8);
	program.point = make(&keys[0], TYPE_STRUCT, "struct", "P", 48);
	struct type *flags = make(&keys[1], TYPE_ENUM, "enum", "F", 4);

	flags->target = types_basic(types, "unsigned int");
	program.flags = flags;
	program.function = types_function(types, integer, two, 2, false, true);
	program.variadic = types_function(types, integer, &text, 1, true, true);
	program.old_style = types_function(types, integer, &old, 1, false, false);
}

static struct dc_error *call(void *arg, const struct typed_call *call, struct value *ret)
{
	(void)arg;
	for (size_t i = 0; i < call->nr_args; i++)
		if (!call->args[i].bytes)
			__builtin_trap(); // an argument that was not computed
	*ret = (struct value){ .type = call->type->target };
	return type_strip(ret->type)->kind == TYPE_VOID ? NULL
							: value_set(ret, NULL, ret->type->size);
}

static struct dc_error *literal(void *arg, const void *bytes, size_t n, uint64_t *addr)
{
	(void)arg, (void)bytes;
	*addr = 0x10000 + literals;
	literals += n;
	return NULL;
}

static struct dc_error *read_memory(void *arg, uint64_t addr, void *buf, size_t n)
{
	(void)arg;
	if (addr < 4096 || addr + n < addr)
		return error_make(DC_VALUE, "cannot access memory");
	for (size_t i = 0; i < n; i++)
		((uint8_t *)buf)[i] = input_size ? input[(addr + i) % input_size] : 0;
	return NULL;
}

static struct dc_error *write_memory(void *arg, uint64_t addr, const void *buf, size_t n)
{
	(void)arg, (void)buf, (void)n;
	return addr < 4096 ? error_make(DC_VALUE, "cannot access memory") : NULL;
}

static const struct type *register_type(void *arg, const char *name, struct types *types)
{
	(void)arg;
	return strcmp(name, "rip") == 0 ? types_pointer(types, types_basic(types, "void"))
					: types_basic(types, "long");
}

static struct dc_error *read_register(void *arg, const char *name, struct types *types,
				      struct value *ret)
{
	*ret = (struct value){ .type = register_type(arg, name, types) };
	return value_set(ret, NULL, 8);
}

static struct dc_error *write_register(void *arg, const char *name, const struct value *value)
{
	(void)arg, (void)name, (void)value;
	return NULL;
}

static struct dc_error *frame(void *arg, struct symbols_frame *ret)
{
	(void)arg;
	*ret = (struct symbols_frame){ 0 };
	return NULL;
}

static uint64_t fs_base(void *arg)
{
	(void)arg;
	return 0x5000;
}

static struct dc_error *resolve_ifunc(void *arg, const struct function *function, uint64_t *addr)
{
	(void)arg;
	*addr = function->addr + 1;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned inputs;
	const struct caller caller = { .call = call,
				       .literal = literal,
				       .read = read_memory,
				       .write = write_memory,
				       .read_register = read_register,
				       .write_register = write_register,
				       .register_type = register_type,
				       .frame = frame,
				       .fs_base = fs_base,
				       .resolve_ifunc = resolve_ifunc };
	struct environment environment = { .symbols = &program, .caller = &caller };
	struct expression *expression = NULL;
	struct value value = { 0 };
	char *text = NULL;
	unsigned number;

	// Types live as long as their table, which would otherwise grow for ever.
	if (inputs++ % 1000 == 0) {
		types_destroy(program.types);
		build_program();
	}
	input = data;
	input_size = size;
	literals = 0;
	environment.variables = variables_create();

	struct dc_error *err = expression_parse(&environment, NULL, (const char *)data, size,
						&expression);

	if (!err)
		err = expression_check(&environment, expression, NULL);
	if (!err)
		err = expression_evaluate(&environment, expression, &value);
	if (!err)
		err = value_print(expression_language(expression), &environment, &value, 0, &text);
	if (!err)
		err = variables_remember(environment.variables, &value, &number);
	if (err && err->column > (ssize_t)size)
		__builtin_trap();
	dc_error_destroy(err);
	free(text);
	value_deinit(&value);
	expression_destroy(expression);
	variables_destroy(environment.variables);
	return 0;
}
