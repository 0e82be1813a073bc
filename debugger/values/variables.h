// SPDX-License-Identifier: MIT
// $name variables and the numbered results $1 $2 …, which live as long as a session.
#ifndef DEBUGGER_VALUES_VARIABLES_H
#define DEBUGGER_VALUES_VARIABLES_H

#include "debugger/values/value.h"

struct variables;
struct variables *variables_create(void); // NULL: out of memory
void variables_destroy(struct variables *variables); // NULL is fine

// The variable's value, which stays the variables'; NULL: it was never assigned, which is void.
// *pending: an assignment was announced that has not been made, so the type is not known.
const struct value *variables_named(struct variables *variables, const char *name, bool *pending);
// A copy is kept. What was an object in the target is a value of its own from then on.
struct dc_error *variables_set(struct variables *variables, const char *name,
			       const struct value *value) DC_CHECK;
// An assignment will be made by an expression that is only checked as yet.
struct dc_error *variables_announce(struct variables *variables, const char *name) DC_CHECK;

// $1 is result 1; NULL: there is no such result.
size_t variables_nr_results(const struct variables *variables);
const struct value *variables_result(const struct variables *variables, size_t number);
// What is read with a value whose object ends; lives as long as the variables. NULL: out of memory.
struct keepsake *variables_keepsake(struct variables *variables);
// Result number, 0: none, is of an object that has ended.
void variables_give(struct variables *variables, unsigned number, const struct keepsake *keepsake);
// Keeps a copy as the next result, whose number is stored; void leaves none, and number 0.
struct dc_error *variables_remember(struct variables *variables, const struct value *value,
				    unsigned *number) DC_CHECK;

#endif
