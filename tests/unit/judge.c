// SPDX-License-Identifier: MIT
// Conditions that the kernel judges are what they are for the evaluator, whatever is in the registers
// and in memory: expressions against predicates, predicates against the kernel, and both against what
// the program itself computes at the same hit.
#include "debugger/control/judge.h"
#include "debugger/target/kernel_breakpoint.h"
#include "tests/unit/values_target.h"

static uint64_t state;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t below(uint64_t n)
{
	return next_random() % n;
}

// Where arithmetic has its edges, more often than chance would have it.
static uint64_t number(void)
{
	static const uint64_t edges[] = { 0,	      1,	  2,	      7,
					  63,	      64,	  255,	      256,
					  INT32_MAX,  UINT32_MAX, INT64_MAX,  1u << 31,
					  UINT64_MAX, 0xff80,	  0x8000,     (uint64_t)INT64_MIN,
					  0x80,	      -7ull,	  0xffffff80, (uint64_t)INT32_MIN };

	return below(3) ? edges[below(sizeof(edges) / sizeof(*edges))] : next_random();
}

static bool read_own(void *arg, uint64_t addr, void *buf, size_t n)
{
	(void)arg;

	struct dc_error *err = move(addr, buf, n, false);

	dc_error_destroy(err);
	return !err;
}

static const struct predicate_memory memory = { read_own, NULL };

// ---- predicates against the kernel ----------------------------------------------------------------

static unsigned char cells[64];
static const size_t arguments[] = {
	offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, rsi),
	offsetof(struct user_regs_struct, rdx), offsetof(struct user_regs_struct, rcx),
	offsetof(struct user_regs_struct, r8),	offsetof(struct user_regs_struct, r9),
};
enum { ARGUMENTS = sizeof(arguments) / sizeof(*arguments) };

static __attribute__((noinline, used)) void come_by(uint64_t a, uint64_t b, uint64_t c, uint64_t d,
						    uint64_t e, uint64_t f)
{
	__asm__ volatile("" ::"r"(a), "r"(b), "r"(c), "r"(d), "r"(e), "r"(f));
}

static const struct predicate *some(struct arena *arena, unsigned depth);

static const struct predicate *some_truth(struct arena *arena, unsigned depth)
{
	return predicate_truth(arena, some(arena, depth));
}

// The last argument points to cells, most of the time.
static const struct predicate *some_load(struct arena *arena, unsigned depth)
{
	const struct predicate *base = predicate_register(arena, arguments[ARGUMENTS - 1]);
	const struct predicate *addr = below(8) ? predicate_offset(arena, base, below(48))
						: some(arena, depth);

	return predicate_load(arena, addr, 1 + (unsigned)below(8));
}

static const struct predicate *some(struct arena *arena, unsigned depth)
{
	static const unsigned sizes[] = { 1, 2, 4, 8 };
	unsigned size = sizes[2 + below(2)];
	bool is_signed = below(2);

	switch (depth ? below(9) : below(2)) {
	case 0: return predicate_constant(arena, number());
	case 1: return predicate_register(arena, arguments[below(ARGUMENTS)]);
	case 2: return some_load(arena, depth - 1);
	case 3: return predicate_extend(arena, some(arena, depth - 1), sizes[below(4)], below(2));
	case 4:
		return predicate_both(arena, below(2) ? PREDICATE_AND : PREDICATE_OR,
				      some_truth(arena, depth - 1), some_truth(arena, depth - 1));
	case 5:
		return predicate_select(arena, some_truth(arena, depth - 1), some(arena, depth - 1),
					some(arena, depth - 1));
	default:
		return predicate_binary(
			arena, OP_ADD + below(OP_GE), size, is_signed,
			predicate_extend(arena, some(arena, depth - 1), size, is_signed),
			predicate_extend(arena, some(arena, depth - 1), size, is_signed));
	}
}

static struct filter *filter_or_skip(void)
{
	struct filter *filter;
	struct dc_error *err = filter_create(&filter);

	if (err) {
		print_message("%s\n", err->message);
		dc_error_destroy(err);
		skip();
	}
	return filter;
}

static struct kernel_breakpoint armed(struct filter *filter, uint64_t addr)
{
	struct kernel_breakpoint breakpoint;

	no_error(kernel_breakpoint_prepare(&breakpoint, gettid(), BREAKPOINT_EXECUTE, addr, 0,
					   SIGURG));
	no_error(kernel_breakpoint_attach(&breakpoint, filter));
	no_error(kernel_breakpoint_enable(&breakpoint));
	return breakpoint;
}

static void the_kernel_computes_as_we_do(void **unused)
{
	enum { PREDICATES = 600, HITS = 20 };
	struct filter *filter = filter_or_skip();
	struct kernel_breakpoint breakpoint = armed(filter, (uint64_t)(uintptr_t)come_by);
	unsigned verdicts[3] = { 0 }; // false, true, none

	(void)unused;
	state = 0x123456789abcdef;
	for (int i = 0; i < PREDICATES; i++) {
		struct bpf_program program = { .n = 0 };
		struct arena arena = { 0 };
		const struct predicate *predicate = some_truth(&arena, 1 + (unsigned)below(6));

		no_error(judge_compile(predicate, &program));
		no_error(filter_set(filter, &program));
		for (int hit = 0; hit < HITS; hit++) {
			struct user_regs_struct regs = { .rdi = number(),
							 .rsi = number(),
							 .rdx = number(),
							 .rcx = number(),
							 .r8 = number(),
							 .r9 = (uintptr_t)cells };
			uint64_t value = 0, told, unjudged;
			bool has;

			cells[below(sizeof(cells))] = (unsigned char)number();
			has = predicate_value(predicate, &regs, &memory, &value);
			verdicts[has ? !!value : 2]++;
			unjudged = kernel_breakpoint_unjudged(&breakpoint);
			come_by(regs.rdi, regs.rsi, regs.rdx, regs.rcx, regs.r8, regs.r9);
			told = kernel_breakpoint_hits(&breakpoint);
			// What the kernel could not judge at the moment, it says.
			if (kernel_breakpoint_unjudged(&breakpoint) == unjudged &&
			    told != (!has || value))
				fail_msg("predicate %d, hit %d: %s, told %u times", i, hit,
					 !has	 ? "no value"
					 : value ? "true"
						 : "false",
					 (unsigned)told);
		}
		arena_deinit(&arena);
	}
	print_message("%u false, %u true, %u without a value\n", verdicts[0], verdicts[1],
		      verdicts[2]);
	for (size_t i = 0; i < 3; i++)
		assert_true(verdicts[i] > PREDICATES * HITS / 50);
	kernel_breakpoint_disarm(&breakpoint);
	filter_destroy(filter);
}

// ---- expressions against predicates ---------------------------------------------------------------

static const char *const objects[] = {
	"gi",
	"gu",
	"gsh",
	"gl",
	"gul",
	"gll",
	"gc",
	"gsc",
	"guc",
	"small",
	"yes",
	"no",
	"flags3[1]",
	"red",
	"blue",
	"color9",
	"flag3",
	"flag9",
	"minus",
	"sign7",
	"mask13",
	"wide_enum",
	"*gp",
	"**gpp",
	"gp",
	"&gi",
	"gnull",
	"gs[1]",
	"*gconst",
	"names[1][0]",
	"gus[3]",
	"s.a",
	"ps->a",
	"cs.a",
	"bf.a",
	"bf.b",
	"bf.c",
	"bf.d",
	"bf.e",
	"odd.c",
	"odd.wide",
	"odd.after",
	"un.i",
	"un.c[0]",
	"list.next",
	"list.v",
	"list.next->next->v",
	"array[2]",
	"matrix[1][2]",
	"counting[17]",
	"points[1].a",
	"ca[1]",
	"rows[1]",
	"hexdigit[2]",
	"uca[3]",
	"sca[0]",
	"all.p.a",
	"all.in.y",
	"all.u",
	"*all.ip",
	"all.c",
	"all.b",
	"all.ch",
	"all.name",
	"nest.p->a",
	"nest.q[1].a",
	"unnamed.k",
	"*gbad",
	"gfp",
	"next_char",
	"$rax",
	"gv",
	"gtext[1]",
	"RED",
	"PLUS",
	"'a'",
	"sizeof(gs)",
	"0",
	"1",
	"-1",
	"2",
	"7",
	"31",
	"33",
	"0x80000000",
	"4294967295",
	"2147483647",
	"-9223372036854775807l - 1",
	"0xfffffffffffffffful",
	"{long}gp",
	"*(short *)gp",
	"i128",
	"gd",
};

static void put_expression(FILE *out, unsigned depth)
{
	static const char *const binaries[] = {
		"+",  "-",  "*",  "/", "%", "&",  "^",	"|",  "<<",
		">>", "==", "!=", "<", ">", "<=", ">=", "&&", "||"
	};
	static const char *const unaries[] = { "!", "-", "~", "+", "*", "&" };
	static const char *const casts[] = { "char",	       "unsigned char", "short",
					     "unsigned short", "int",		"unsigned",
					     "long",	       "unsigned long", "bool",
					     "long long",      "enum color",	"void *",
					     "int *",	       "long *" };

	switch (depth ? below(8) : 0) {
	case 0: fputs(objects[below(sizeof(objects) / sizeof(*objects))], out); return;
	case 1:
		fputs(unaries[below(below(4) ? 4 : 6)], out);
		fputc('(', out);
		put_expression(out, depth - 1);
		fputc(')', out);
		return;
	case 2:
		fprintf(out, "(%s)(", casts[below(sizeof(casts) / sizeof(*casts))]);
		put_expression(out, depth - 1);
		fputc(')', out);
		return;
	case 3:
		fputc('(', out);
		put_expression(out, depth - 1);
		fputs(" ? ", out);
		put_expression(out, depth - 1);
		fputs(" : ", out);
		put_expression(out, depth - 1);
		fputc(')', out);
		return;
	default:
		fputc('(', out);
		put_expression(out, depth - 1);
		fprintf(out, " %s ", binaries[below(sizeof(binaries) / sizeof(*binaries))]);
		put_expression(out, depth - 1);
		fputc(')', out);
	}
}

static void change_program(void)
{
	gi = (int)number();
	gu = (unsigned)number();
	gsh = (short)number();
	gl = (long)number();
	gul = number();
	gc = (char)number();
	guc = (unsigned char)number();
	s.a = (int)number();
	array[2] = (int)number();
	bf.a = (unsigned)number();
	bf.b = (int)number();
	bf.c = number();
	odd.wide = number();
	odd.after = (int)number();
	blue = (enum color)number();
	flag9 = (enum flags)number();
	minus = (enum sign)number();
	rax = number();
}

struct tally {
	unsigned written, typed, translated, truths[3];
};

static void compare(const char *text, const struct expression *expression,
		    const struct predicate *predicate, struct tally *tally)
{
	for (int i = 0; i < 8; i++) {
		struct user_regs_struct regs = { 0 };
		struct value value = { 0 };
		uint64_t judged = 0;
		bool has, truth = false;

		change_program();
		regs.rax = rax;
		has = predicate_value(predicate, &regs, &memory, &judged);

		struct dc_error *err = expression_evaluate(&target.environment, expression, &value);

		for (uint64_t k = 0; !err && k < type_strip(value.type)->size; k++)
			truth |= value.bytes[k] != 0;
		if (has != !err || (has && truth != (judged != 0)))
			fail_msg("%s: %s, and the predicate is %s", text,
				 err	 ? err->message
				 : truth ? "true"
					 : "false",
				 !has	  ? "no value"
				 : judged ? "true"
					  : "false");
		tally->truths[err ? 2 : truth]++;
		dc_error_destroy(err);
		value_deinit(&value);
	}
}

static void try_expression(const char *text, size_t length, struct tally *tally)
{
	struct expression *expression = NULL;
	const struct predicate *predicate;
	struct arena arena = { 0 };
	struct dc_error *err = expression_parse(&target.environment, NULL, text, length,
						&expression);

	tally->written++;
	if (!err)
		err = expression_check(&target.environment, expression, NULL);
	if (!err) {
		tally->typed++;
		err = expression_predicate(&target.environment, expression,
					   (uint64_t)(uintptr_t)come_by, &arena, &predicate);
	}
	if (!err) {
		tally->translated++;
		compare(text, expression, predicate, tally);
	}
	dc_error_destroy(err);
	expression_destroy(expression);
	arena_deinit(&arena);
}

static void predicates_are_the_expressions(void **unused)
{
	const int expressions = getenv("DC_CAMPAIGN") ? 20000 : 700;
	struct tally tally = { 0 };

	(void)unused;
	state = 0xfedcba987654321;
	for (int i = 0; i < expressions; i++) {
		_cleanup_free_ char *text = NULL;
		size_t length;
		FILE *out = open_memstream(&text, &length);

		put_expression(out, (unsigned)below(5));
		fclose(out);
		try_expression(text, length, &tally);
	}
	print_message("%u written, %u typed, %u translated; %u times false, %u true, %u neither\n",
		      tally.written, tally.typed, tally.translated, tally.truths[0],
		      tally.truths[1], tally.truths[2]);
	assert_true(tally.translated > tally.typed / 2);
	for (size_t i = 0; i < 3; i++)
		assert_true(tally.truths[i] > tally.translated / 20);
}

static void what_is_not_certain_is_refused(void **unused)
{
	static const struct expectation list[] = {
		{ "zero() == 0", "it calls a function" },
		{ "gi = 1", "it changes what it looks at" },
		{ "gi++ > 3", "it changes what it looks at" },
		{ "gd > 1", "it has values that are no integers" },
		{ "gi > 1.5", "it has values that are no integers" },
		{ "i128 == 1", "it has values that are no integers" },
		{ "$later", "it uses a variable of the debugger's" },
		{ "vi[1] == 2", "it has values that are no integers" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		struct expression *expression = NULL;
		const struct predicate *predicate;
		struct arena arena = { 0 };
		struct dc_error *err;

		no_error(expression_parse(&target.environment, NULL, list[i].text,
					  strlen(list[i].text), &expression));
		no_error(expression_check(&target.environment, expression, NULL));
		err = expression_predicate(&target.environment, expression,
					   (uint64_t)(uintptr_t)come_by, &arena, &predicate);
		if (!err)
			fail_msg("%s is not refused", list[i].text);
		assert_int_equal(err->code, DC_REFUSED);
		assert_string_equal(err->message, list[i].value);
		dc_error_destroy(err);
		expression_destroy(expression);
		arena_deinit(&arena);
	}
}

// ---- all of it against the program ----------------------------------------------------------------

struct order {
	const char *customer;
	short pieces;
	struct order *next;
	unsigned urgent : 3;
};

static int line_of_slow;

static __attribute__((noinline, used, optimize("O0"))) long
slow_serve(struct order *order, int weight, unsigned char zone)
{
	line_of_slow = __LINE__ + 1;
	return order->pieces * (long)weight + zone;
}

static __attribute__((noinline, used)) long fast_serve(struct order *order, int weight,
						       unsigned char zone)
{
	__asm__ volatile("" : "+r"(order), "+r"(weight));
	return order->pieces * (long)weight + zone;
}

static void locals_are_where_the_program_has_them(void **unused)
{
	char slow[32]; // a function of an optimized file is met at its first instruction
	const char *const places[] = { slow, "fast_serve" };
	static const char *const conditions[] = {
		"order->pieces > weight && zone",
		"order->next->pieces * weight == zone || !order->next",
		"(char)zone < 0 != (weight % 3 == 1)",
		"order->urgent << weight > zone ? order->customer[0] == 'b' : weight / zone",
	};
	struct filter *filter = filter_or_skip();

	(void)unused;
	state = 0x777;
	slow_serve(&(struct order){ 0 }, 0, 0);
	snprintf(slow, sizeof(slow), "judge.c:%d", line_of_slow);
	for (size_t i = 0; i < 2 * sizeof(conditions) / sizeof(*conditions); i++) {
		const char *text = conditions[i / 2], *place = places[i % 2];
		struct code_place *at;
		size_t n;
		struct expression *expression = NULL;
		const struct predicate *predicate = NULL;
		struct bpf_program program = { .n = 0 };
		struct arena arena = { 0 };

		no_error(symbols_places(target.symbols, place, &at, &n));
		assert_int_equal(1, n);

		const struct symbols_frame frame = { .pc = at->addr };

		no_error(expression_parse(&target.environment, &frame, text, strlen(text),
					  &expression));
		no_error(expression_check(&target.environment, expression, NULL));
		no_error(expression_predicate(&target.environment, expression, at->addr, &arena,
					      &predicate));
		no_error(judge_compile(predicate, &program));
		no_error(filter_set(filter, &program));

		struct kernel_breakpoint breakpoint = armed(filter, at->addr);

		for (int hit = 0; hit < 200; hit++) {
			uint64_t unjudged = kernel_breakpoint_unjudged(&breakpoint), told;
			struct order last = { "a", (short)below(20), NULL, below(8) };
			struct order order = { below(2) ? "b" : "c", (short)below(9), &last,
					       (unsigned)below(8) };
			int weight = (int)below(20) - 8;
			unsigned char zone = (unsigned char)(below(3) ? below(256) : 0);
			const bool truths[] = {
				order.pieces > weight && zone,
				order.next->pieces * weight == zone || !order.next,
				((char)zone < 0) != (weight % 3 == 1),
				// A division by zero is told, too.
				(int)((unsigned)order.urgent << (weight & 31)) > zone
					? order.customer[0] == 'b'
				: zone ? weight / zone != 0
				       : true,
			};

			(i % 2 ? fast_serve : slow_serve)(&order, weight, zone);
			told = kernel_breakpoint_hits(&breakpoint);
			if (kernel_breakpoint_unjudged(&breakpoint) == unjudged &&
			    told != truths[i / 2])
				fail_msg("%s at %s, hit %d: weight %d, zone %u, pieces %d", text,
					 place, hit, weight, zone, order.pieces);
		}
		kernel_breakpoint_disarm(&breakpoint);
		expression_destroy(expression);
		arena_deinit(&arena);
		free(at);
	}
	filter_destroy(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_computes_as_we_do),
		cmocka_unit_test(predicates_are_the_expressions),
		cmocka_unit_test(what_is_not_certain_is_refused),
		cmocka_unit_test(locals_are_where_the_program_has_them),
	};

	return cmocka_run_group_tests(tests, target_start, target_end);
}
