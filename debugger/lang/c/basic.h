// SPDX-License-Identifier: MIT
// The basic types by index, so that the evaluator does not spell them out at each operator.
#ifndef DEBUGGER_LANG_C_BASIC_H
#define DEBUGGER_LANG_C_BASIC_H

#include "debugger/symbols/type.h"

#define BASIC_TYPES(X)                  \
	X(VOID, "void")                 \
	X(BOOL, "_Bool")                \
	X(CHAR, "char")                 \
	X(SCHAR, "signed char")         \
	X(UCHAR, "unsigned char")       \
	X(SHORT, "short")               \
	X(USHORT, "unsigned short")     \
	X(INT, "int")                   \
	X(UINT, "unsigned int")         \
	X(LONG, "long")                 \
	X(ULONG, "unsigned long")       \
	X(LLONG, "long long")           \
	X(ULLONG, "unsigned long long") \
	X(INT128, "__int128")           \
	X(UINT128, "unsigned __int128") \
	X(FLOAT, "float")               \
	X(DOUBLE, "double")             \
	X(LDOUBLE, "long double")       \
	X(CFLOAT, "float _Complex")     \
	X(CDOUBLE, "double _Complex")   \
	X(CLDOUBLE, "long double _Complex")

enum basic {
#define X(name, spelling) BASIC_##name,
	BASIC_TYPES(X)
#undef X
		BASIC_COUNT
};

struct basics {
	struct types *types;
	const struct type *list[BASIC_COUNT];
};
// is_cxx: _Bool is written bool.
struct dc_error *basics_init(struct basics *basics, struct types *types, bool is_cxx) DC_CHECK;
const struct type *basic_signed(const struct basics *basics, uint64_t size, bool is_signed);

#endif
