// SPDX-License-Identifier: MIT
// C's functions as a language, which languages that are written as C share.
#ifndef DEBUGGER_LANG_C_C_H
#define DEBUGGER_LANG_C_C_H

#include "debugger/lang/language.h"

struct dc_error *c_parse(const struct environment *environment, const struct symbols_frame *frame,
			 struct expression *expression) DC_CHECK;
struct dc_error *c_call(struct expression *expression, const struct value *args,
			size_t nr_args) DC_CHECK;
void c_recall(struct expression *expression, const struct value *args);
struct dc_error *c_check(const struct environment *environment, struct expression *expression,
			 struct dc_error *(*abi)(const struct type *function)) DC_CHECK;
struct dc_error *c_evaluate(const struct environment *environment,
			    const struct expression *expression, struct value *ret) DC_CHECK;
struct dc_error *c_predicate(const struct environment *environment,
			     const struct expression *expression, uint64_t place,
			     struct arena *arena, const struct predicate **ret) DC_CHECK;
struct dc_error *c_print(const struct language *language, const struct environment *environment,
			 const struct value *value, char format, char **ret) DC_CHECK;

#endif
