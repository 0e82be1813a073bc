// SPDX-License-Identifier: MIT
// What is done to values, whatever a language writes for it.
#ifndef DEBUGGER_VALUES_OPERATOR_H
#define DEBUGGER_VALUES_OPERATOR_H

enum operation {
	OP_NONE,
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_AND,
	OP_XOR,
	OP_OR,
	OP_SHL,
	OP_SHR,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_GT,
	OP_LE,
	OP_GE,
	OP_REPEAT, // gdb's a@n
	OP_MEMBER_OF, // C++: a.*b
	OP_MEMBER_AT, // a->*b
	OP_LOGICAL_AND,
	OP_LOGICAL_OR,
	OP_NEGATE, // unary from here
	OP_PLUS,
	OP_COMPLEMENT,
	OP_NOT,
	OP_ADDRESS,
	OP_DEREFERENCE,
	OP_REAL,
	OP_IMAG,
};

#endif
