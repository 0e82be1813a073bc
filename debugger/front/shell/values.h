// SPDX-License-Identifier: MIT
// Expressions for the shell's own ends: addresses, conditions, the parts of a printf.
#ifndef DEBUGGER_FRONT_SHELL_VALUES_H
#define DEBUGGER_FRONT_SHELL_VALUES_H

#include "debugger/front/shell/shell.h"

// Evaluated as the shell's other expressions are; the result gets no number. Where there is no
// process nothing has a value.
struct dc_error *shell_evaluate(struct shell *shell, const char *text,
				struct dc_result *ret) DC_CHECK;
// As an integer, pointers and true and false too.
struct dc_error *shell_integer(struct shell *shell, const char *text, uint64_t *ret) DC_CHECK;
struct dc_error *shell_truth(struct shell *shell, const char *text, bool *ret) DC_CHECK;
struct dc_error *shell_real(struct shell *shell, const char *text, double *ret) DC_CHECK;

// The end of the first part of a list that a comma at the outermost level ends.
const char *shell_part_end(const char *text);

#endif
