// SPDX-License-Identifier: MIT
// C++ as a language: written as C is, with rules of its own where C's end.
#include "debugger/lang/c/c.h"
#include "debugger/lang/cxx/rules.h"

static const struct dialect dialect = {
	.has_bool = true,
	.name_end = qualified_name_end,
	.resolve_overloads = qualified_resolve,
	.implied_member = implied_member,
	.scope = symbols_scope,
	.other_names = symbols_other_names,
	.declared_name = symbols_declared_name,
	.needs_call = overload_needs_call,
	.find_callee = method_find_callee,
	.call_for_object = temporary_result,
	.find_argument = method_find_argument,
	.refer = reference_follow,
	.bind = reference_bind,
	.convert_pointer = class_convert_pointer,
	.convert_object = class_convert_object,
	.join_pointers = class_join_pointers,
	.inherited_member = class_inherited_member,
	.index_object = library_index,
	.target_of = library_target,
	.operate = operators_apply,
	.convert_class = operators_convert,
	.cast_dynamic = dynamic_type_cast,
	.type_id = dynamic_type_id,
	.operator_name = operators_name,
	.type_call = named_cast_of_type,
	.word = named_cast,
	.print_reference = class_print_reference,
	.print_base = class_print_base,
	.print_object = library_print,
	.print_enum_scope = class_print_enum_scope,
};

const struct language language_cxx = {
	.name = "C++",
	.source = SOURCE_CXX,
	.dialect = &dialect,
	.parse = c_parse,
	.call = c_call,
	.check = c_check,
	.evaluate = c_evaluate,
	.spell = type_spell,
	.contain = library_container,
	.print = c_print,
};
