// SPDX-License-Identifier: MIT
// The classification of values against compilers: thousands of random values go through generated
// functions in this very process, placed and fetched by abi.c, and must arrive bit by bit.
#include "tests/unit/abi/cases.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

unsigned char abi_got[ABI_ARGS][ABI_BYTES] __attribute__((aligned(64)));
unsigned char abi_give[ABI_BYTES] __attribute__((aligned(64)));

// Types here are tables written by hand or generator, not DWARF: these stand in for symbols/.
struct dc_error *type_members(const struct type *type, const struct type_member **ret, size_t *n)
{
	const struct members *list = type->origin;

	*ret = list ? list->member : NULL;
	*n = list ? list->n : 0;
	return NULL;
}

struct dc_error *type_params(const struct type *type, const struct type_param **ret, size_t *n)
{
	const struct params *list = type->origin;

	*ret = list ? list->param : NULL;
	*n = list ? list->n : 0;
	return NULL;
}

const struct type *type_strip(const struct type *type)
{
	while (type->kind == TYPE_TYPEDEF)
		type = type->target;
	return type;
}

uint32_t type_align(const struct type *type)
{
	return type->align;
}

uint32_t type_padded_align(const struct type *type)
{
	return type_align(type);
}

bool type_align_is_guessed(const struct type *type)
{
	(void)type;
	return false;
}

char *type_spell(const struct type *type, const char *name)
{
	(void)name;
	return strdup(type->name ? type->name : "(unnamed)");
}

// How a host enters and leaves a callee, in as few lines as a test can have.
struct passage {
	void *function; // 0
	const unsigned char *stack; // 8
	uint64_t stack_size; // 16, a multiple of 16
	uint64_t stack_align; // 24
	uint64_t width; // 32: bytes of vector registers this machine has
	uint64_t general[ABI_GENERAL]; // 40
	uint64_t al; // 88
	uint64_t rax, rdx; // 96, 104
	unsigned char st[2][16]; // 112
	unsigned char pad[48]; // 144
	unsigned char vector[ABI_VECTOR][ABI_VECTOR_BYTES]; // 192
	unsigned char back[2][ABI_VECTOR_BYTES]; // 704
} __attribute__((aligned(64)));
_Static_assert(offsetof(struct passage, vector) == 192 && offsetof(struct passage, back) == 704 &&
		       offsetof(struct passage, general) == 40 &&
		       offsetof(struct passage, st) == 112,
	       "the assembly below counts on these");

void abi_pass(struct passage *passage);
__asm__(".text\n"
	".globl abi_pass\n"
	".type abi_pass, @function\n"
	"abi_pass:\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	push %rbx\n"
	"	push %rbx\n"
	"	mov %rdi, %rbx\n"
	"	mov 24(%rbx), %rax\n"
	"	neg %rax\n"
	"	sub 16(%rbx), %rsp\n"
	"	and %rax, %rsp\n"
	"	mov 16(%rbx), %rcx\n"
	"	mov 8(%rbx), %rsi\n"
	"	mov %rsp, %rdi\n"
	"	rep movsb\n"
	"	cmpq $32, 32(%rbx)\n"
	"	ja 3f\n"
	"	je 2f\n"
	".irp n,0,1,2,3,4,5,6,7\n"
	"	movups 192+\\n*64(%rbx), %xmm\\n\n"
	".endr\n"
	"	jmp 4f\n"
	"2:\n"
	".irp n,0,1,2,3,4,5,6,7\n"
	"	vmovups 192+\\n*64(%rbx), %ymm\\n\n"
	".endr\n"
	"	jmp 4f\n"
	"3:\n"
	".irp n,0,1,2,3,4,5,6,7\n"
	"	vmovups 192+\\n*64(%rbx), %zmm\\n\n"
	".endr\n"
	"4:\n"
	"	mov 40(%rbx), %rdi\n"
	"	mov 48(%rbx), %rsi\n"
	"	mov 56(%rbx), %rdx\n"
	"	mov 64(%rbx), %rcx\n"
	"	mov 72(%rbx), %r8\n"
	"	mov 80(%rbx), %r9\n"
	"	mov 88(%rbx), %rax\n"
	"	call *(%rbx)\n"
	"	mov %rax, 96(%rbx)\n"
	"	mov %rdx, 104(%rbx)\n"
	"	cmpq $32, 32(%rbx)\n"
	"	ja 3f\n"
	"	je 2f\n"
	"	movups %xmm0, 704(%rbx)\n"
	"	movups %xmm1, 768(%rbx)\n"
	"	jmp 4f\n"
	"2:\n"
	"	vmovups %ymm0, 704(%rbx)\n"
	"	vmovups %ymm1, 768(%rbx)\n"
	"	vzeroupper\n"
	"	jmp 4f\n"
	"3:\n"
	"	vmovups %zmm0, 704(%rbx)\n"
	"	vmovups %zmm1, 768(%rbx)\n"
	"	vzeroupper\n"
	"4:\n"
	"	fstpt 112(%rbx)\n"
	"	fstpt 128(%rbx)\n"
	"	fninit\n"
	"	lea -8(%rbp), %rsp\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size abi_pass, .-abi_pass\n"
	".section .note.GNU-stack,\"\",@progbits\n"
	".text\n");

static uint64_t machine_width(void)
{
	return __builtin_cpu_supports("avx512f") ? 64 : __builtin_cpu_supports("avx") ? 32 : 16;
}

// A generator of its own, so that a failure can be seen again.
static uint64_t seed = 88172645463325252u;

static uint64_t random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static void fill(unsigned char *bytes, const unsigned char *mask, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)random_bits() & mask[i];
}

static bool same(const unsigned char *a, const unsigned char *b, const unsigned char *mask,
		 size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((a[i] ^ b[i]) & mask[i])
			return false;
	return true;
}

static size_t wrong;

static void expect_same(const struct abi_case *test, const char *what, const unsigned char *got,
			const unsigned char *sent, const unsigned char *mask, size_t n)
{
	enum { SHOWN = 12 };

	if (same(got, sent, mask, n) || wrong >= SHOWN)
		return;
	fprintf(stderr, "# %s: %s is wrong\n#   sent", test->text, what);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, " %02x", sent[i]);
	fprintf(stderr, "\n#   got ");
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, " %02x", got[i] & mask[i]);
	fprintf(stderr, "\n");
	wrong++;
}

// False: refused.
static bool run_case(const struct abi_case *test, enum type_compiler compiler)
{
	struct value args[ABI_ARGS];
	struct type function = *test->type;
	struct typed_call call = { .type = &function, .args = args, .nr_args = test->nr_args };
	const struct type *result = test->type->target;
	struct abi_entry entry;
	unsigned char *bytes;

	function.compiler = compiler;
	memset(args, 0, sizeof(args));
	for (size_t i = 0; i < test->nr_args; i++) {
		args[i].type = test->args[i];
		args[i].bytes = malloc(args[i].type->size + 1);
		fill(args[i].bytes, test->arg_masks[i], args[i].type->size);
	}
	memset(abi_got, 0x5a, sizeof(abi_got));
	if (test->result_mask)
		fill(abi_give, test->result_mask, result->size);

	struct dc_error *err = classify_call(&call, &entry);

	if (err) {
		assert_int_equal(err->code, DC_REFUSED);
		if (!strstr(err->message, "compilers differ") &&
		    !strstr(err->message, "without a name"))
			fail_msg("%s: %s", test->text, err->message);
		dc_error_destroy(err);
		for (size_t i = 0; i < test->nr_args; i++)
			free(args[i].bytes);
		return false;
	}
	assert_true(entry.vector_width <= machine_width());
	assert_true(entry.stack_size % 8 == 0);

	struct passage passage = { .function = test->function,
				   .stack_size = (entry.stack_size + 15) & ~15ul,
				   .stack_align = entry.stack_align,
				   .width = machine_width() };
	unsigned char *memory = aligned_alloc(4096, 65536),
		      *stack = calloc(1, passage.stack_size + 1);

	if (entry.stack_size)
		memcpy(stack, entry.stack, entry.stack_size);
	passage.stack = stack;
	for (int i = 0; i < ABI_GENERAL; i++)
		passage.general[i] = entry.general[i];
	if (entry.result_size) {
		assert_true(entry.result_size == result->size);
		passage.general[0] = (uintptr_t)memory;
	}
	memcpy(passage.vector, entry.vector, sizeof(passage.vector));
	// The upper half of rax is noise to a variadic callee.
	passage.al = (random_bits() & ~0xfful) | entry.al;
	abi_pass(&passage);

	struct abi_exit exit = { .rax = passage.rax, .rdx = passage.rdx };

	memcpy(exit.vector, passage.back, sizeof(exit.vector));
	memcpy(exit.st, passage.st, sizeof(exit.st));
	if (entry.result_size) {
		assert_true(passage.rax == (uintptr_t)memory);
		exit.memory = memory;
	}
	for (size_t i = 0; i < test->nr_args; i++) {
		char what[64];

		snprintf(what, sizeof(what), "argument %zu, %s,", i, args[i].type->name);
		expect_same(test, what, abi_got[i], args[i].bytes, test->arg_masks[i],
			    args[i].type->size);
		free(args[i].bytes);
	}
	assert_null(classify_result(&call, &exit, &bytes));
	assert_int_equal(bytes != NULL, result->kind != TYPE_VOID);
	if (test->result_mask)
		expect_same(test, "the result", bytes, abi_give, test->result_mask, result->size);
	free(bytes);
	free(memory);
	free(stack);
	abi_entry_deinit(&entry);
	return true;
}

static void run_suite(const struct abi_suite *suite, enum type_compiler compiler, unsigned width)
{
	size_t refused = 0;

	wrong = 0;
	if (!suite->cases) {
		print_message("# SKIP no clang on this machine\n");
		skip();
	}
	if (machine_width() < width) {
		print_message("# SKIP no vector registers of %u bytes on this machine\n", width);
		skip();
	}
	suite->prepare();
	for (size_t i = 0; i < suite->n; i++) {
		for (int round = 0; round < 3; round++) {
			refused += !run_case(&suite->cases[i], compiler);
			run_case(&suite->cases[i], COMPILER_UNKNOWN);
		}
	}
	assert_int_equal(wrong, 0);
	// Refusing is right for a few of them; to refuse all would be no proof of anything.
	assert_true(refused * 10 < suite->n * 3);
}

#define SUITES(X)       \
	X(gcc, GCC, 16) \
	X(gcc, GCC, 32) X(gcc, GCC, 64) X(clang, CLANG, 16) X(clang, CLANG, 32) X(clang, CLANG, 64)
#define X(cc, id, width)                                                        \
	extern const struct abi_suite abi_##cc##_##width __attribute__((weak)); \
	static void agrees_with_##cc##_##width(void **state)                    \
	{                                                                       \
		static const struct abi_suite absent;                           \
		const struct abi_suite *suite = &abi_##cc##_##width;            \
		(void)state;                                                    \
		run_suite(suite ? suite : &absent, COMPILER_##id, width);       \
	}
SUITES(X)
#undef X

// What cannot be passed exactly is refused by its name, alone, in a struct and behind an array.
static void refuses_by_name(void **state)
{
	static struct type quad = { .kind = TYPE_FLOAT,
				    .format = FLOAT_128,
				    .size = 16,
				    .align = 16,
				    .name = "__float128" },
			   half = { .kind = TYPE_FLOAT,
				    .format = FLOAT_16,
				    .size = 2,
				    .align = 2,
				    .name = "_Float16" },
			   decimal = { .kind = TYPE_FLOAT,
				       .format = FLOAT_OTHER,
				       .size = 8,
				       .align = 8,
				       .name = "_Decimal64" },
			   opaque = { .kind = TYPE_OPAQUE, .size = 4, .align = 4, .name = "odd" },
			   declared = { .kind = TYPE_STRUCT,
					.is_incomplete = true,
					.name = "declared" },
			   doubtful = { .kind = TYPE_STRUCT,
					.is_doubtful = true,
					.size = 32,
					.align = 8,
					.name = "doubtful" },
			   wide = {
				   .kind = TYPE_INT, .size = 3, .align = 1, .name = "_BitInt(24)"
			   };
	static struct type *const refused[] = { &quad,	   &half,     &decimal, &opaque,
						&declared, &doubtful, &wide };
	static struct type nothing = { .kind = TYPE_VOID, .name = "void" };

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct type many = { .kind = TYPE_ARRAY,
				     .target = refused[i],
				     .count = 100,
				     .size = 100 * refused[i]->size,
				     .align = refused[i]->align };
		struct type_member member = { .name = "m", .type = &many };
		struct members list = { &member, 1 };
		struct type large = { .kind = TYPE_STRUCT,
				      .name = "large",
				      .size = many.size,
				      .align = many.align,
				      .origin = &list };
		struct type_param params[] = { { .type = refused[i] }, { .type = &large } };

		for (int place = 0; place < 3; place++) {
			struct params param = { &params[place == 1], place < 2 };
			struct type function = { .kind = TYPE_FUNCTION,
						 .origin = &param,
						 .target = place < 2 ? &nothing : refused[i] };
			struct dc_error *err = classify_check(&function);

			assert_non_null(err);
			assert_int_equal(err->code, DC_REFUSED);
			assert_non_null(strstr(err->message, refused[i]->name));
			dc_error_destroy(err);
		}
	}
}

// Of a class that copies itself the address is passed, and of its result the caller says it.
static void passes_objects_by_address(void **state)
{
	static struct type string = { .kind = TYPE_STRUCT,
				      .is_nontrivial = true,
				      .size = 32,
				      .align = 8,
				      .name = "std::string" };
	static struct type_param params[8] = { [0 ... 7] = { .type = &string } };
	struct params param = { params, 8 };
	struct type function = {
		.kind = TYPE_FUNCTION, .origin = &param, .target = &string, .is_prototyped = true
	};
	struct value args[8];
	struct abi_entry entry;
	struct typed_call call = {
		.type = &function, .args = args, .nr_args = 8, .result_at = 0x1000
	};

	(void)state;
	for (uint64_t i = 0; i < 8; i++)
		args[i] = (struct value){ .type = &string, .addr = 0x2000 + i };
	assert_null(classify_check(&function));
	assert_null(classify_call(&call, &entry));
	assert_int_equal(entry.result_size, 0);
	assert_int_equal(entry.general[0], 0x1000);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(entry.general[i + 1], 0x2000 + i);
	assert_int_equal(entry.stack_size, 24);
	assert_memory_equal(entry.stack, ((uint64_t[]){ 0x2005, 0x2006, 0x2007 }), 24);
	abi_entry_deinit(&entry);
}

// One free register is not half an __int128; it serves the next argument. %al counts vectors.
static void keeps_pairs_together(void **state)
{
	static struct type word = { .kind = TYPE_INT, .size = 8, .align = 8, .name = "long" },
			   pair = { .kind = TYPE_INT, .size = 16, .align = 16, .name = "__int128" },
			   real = { .kind = TYPE_FLOAT,
				    .format = FLOAT_64,
				    .size = 8,
				    .align = 8,
				    .name = "double" },
			   nothing = { .kind = TYPE_VOID, .name = "void" },
			   function = { .kind = TYPE_FUNCTION,
					.target = &nothing,
					.is_variadic = true,
					.compiler = COMPILER_GCC };
	uint64_t bytes[9][2] = {
		{ 1 }, { 2 }, { 3 }, { 4 }, { 5 }, { 6, 7 }, { 8 }, { 9 }, { 10 }
	};
	struct value args[9];
	struct abi_entry entry;
	struct typed_call call = { .type = &function, .args = args, .nr_args = 9 };

	(void)state;
	for (int i = 0; i < 9; i++)
		args[i] = (struct value){ .type = i == 5   ? &pair
						  : i == 7 ? &real
							   : &word,
					  .bytes = (unsigned char *)bytes[i] };
	assert_null(classify_call(&call, &entry));
	for (int i = 0; i < 5; i++)
		assert_int_equal(entry.general[i], i + 1);
	assert_int_equal(entry.general[5], 8);
	assert_int_equal(entry.al, 1);
	assert_int_equal(entry.vector[0][0], 9);
	assert_int_equal(entry.stack_size, 24);
	assert_memory_equal(entry.stack, ((uint64_t[]){ 6, 7, 10 }), 24);
	abi_entry_deinit(&entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define X(cc, id, width) cmocka_unit_test(agrees_with_##cc##_##width),
		SUITES(X)
#undef X
			cmocka_unit_test(refuses_by_name),
		cmocka_unit_test(passes_objects_by_address),
		cmocka_unit_test(keeps_pairs_together),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
