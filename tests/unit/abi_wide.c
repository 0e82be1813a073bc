// SPDX-License-Identifier: MIT
// Which callees show that they take wide vectors in registers.
#include "debugger/arch/x86_64/wide.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define CODE(...) \
	(const unsigned char[]){ __VA_ARGS__ }, sizeof((const unsigned char[]){ __VA_ARGS__ })

static bool shows(unsigned width, const unsigned char *code, size_t n)
{
	struct abi_entry entry = { .vector_width = width };
	struct dc_error *err = wide_check(&entry, code, n, "f");
	bool refused = err;

	if (err)
		assert_int_equal(err->code, DC_REFUSED);
	dc_error_destroy(err);
	return !refused;
}

#define VADDPS_YMM   0xc5, 0xfc, 0x58, 0xc1 // vaddps %ymm1, %ymm0, %ymm0
#define VADDPS_ZMM   0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc1 // vaddps %zmm1, %zmm0, %zmm0
#define MOVAPS_STACK 0x0f, 0x28, 0x44, 0x24, 0x08 // movaps 8(%rsp), %xmm0
#define RET	     0xc3

static void one_instruction_shows_it(void **state)
{
	(void)state;
	assert_true(shows(32, CODE(VADDPS_YMM, RET)));
	assert_true(shows(32, CODE(VADDPS_ZMM, RET)));
	assert_true(shows(64, CODE(VADDPS_ZMM, RET)));
	assert_false(shows(64, CODE(VADDPS_YMM, RET)));
	assert_false(shows(32, CODE(MOVAPS_STACK, RET)));
	assert_false(shows(32, CODE(RET)));
	assert_false(shows(32, CODE(0xc5)));
	assert_false(shows(32, NULL, 0));
	assert_true(shows(16, CODE(MOVAPS_STACK, RET)));
	assert_true(shows(0, NULL, 0));
}

static void the_next_function_does_not_count(void **state)
{
	(void)state;
	assert_false(shows(32, CODE(MOVAPS_STACK, RET, VADDPS_YMM, RET)));
	// test %edi, %edi; je +1; ret; the branch goes behind the first return.
	assert_true(shows(32, CODE(0x85, 0xff, 0x74, 0x01, RET, VADDPS_YMM, RET)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_instruction_shows_it),
		cmocka_unit_test(the_next_function_does_not_count),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
