// SPDX-License-Identifier: MIT
// Parts of values: members, elements, base classes. Part of an object in memory is an object too; of
// a copy it is a copy.
#ifndef DEBUGGER_VALUES_PART_H
#define DEBUGGER_VALUES_PART_H

#include "debugger/values/lvalue.h"

// What lies at the offset. Code VALUE: not inside of the whole, whose bytes are known.
struct dc_error *part_at(const struct value *whole, const struct type *type, uint64_t offset,
			 struct value *ret) DC_CHECK;
// The member, be it a bit-field or a base class; offset: of what it is directly a member of.
struct dc_error *part_member(struct access *access, const struct value *whole, uint64_t offset,
			     const struct type_member *member, struct value *ret) DC_CHECK;
// How far behind its object's address the base class lies. A virtual one is sought in the target:
// addr is the object's, bytes its first eight, NULL: those are read too.
struct dc_error *part_base_offset(const struct caller *caller, const struct type_member *base,
				  uint64_t addr, const void *bytes, uint64_t *ret) DC_CHECK;

#endif
