// SPDX-License-Identifier: MIT
// The arguments that a class was made of a template with, as its debug information lists them, and
// the types that it names.
#include "debugger/symbols/dwarf/units.h"
#include "debugger/symbols/types/type_table.h"

#include <dwarf.h>
#include <string.h>

static bool argument_in(struct types *types, Dwarf_Die *parent, size_t *left,
			struct type_argument *ret)
{
	struct die_walk walk = { 0 };
	Dwarf_Attribute attr;
	Dwarf_Sword value;
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, parent, &child); more;
	     more = die_walk_next(&walk, &child)) {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_GNU_template_parameter_pack &&
		    dwarf_tag(parent) != DW_TAG_GNU_template_parameter_pack &&
		    argument_in(types, &child, left, ret))
			return true;
		if ((tag != DW_TAG_template_type_parameter &&
		     tag != DW_TAG_template_value_parameter &&
		     tag != DW_TAG_GNU_template_template_param) ||
		    (*left)--)
			continue;
		*ret = (struct type_argument){ .type = type_of_die(types, &child) };
		// Data of one byte has a sign, or has none, as its type has.
		if (ret->type && tag == DW_TAG_template_value_parameter &&
		    dwarf_attr_integrate(&child, DW_AT_const_value, &attr) &&
		    !(type_strip(ret->type)->is_signed
			      ? dwarf_formsdata(&attr, &value)
			      : dwarf_formudata(&attr, (Dwarf_Word *)&value))) {
			ret->is_value = true;
			ret->value = value;
		}
		return ret->type != NULL;
	}
	return false;
}

bool type_argument(const struct type *class, size_t i, struct type_argument *ret)
{
	struct type_node *node = type_node(class)->unqualified;

	return type_is_record(class) && node->die.addr &&
	       argument_in(class->owner, &node->die, &i, ret);
}

const struct type *type_nested(const struct type *class, const char *name)
{
	struct type_node *node = type_node(class)->unqualified;
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	if (!type_is_record(class) || !node->die.addr)
		return NULL;
	for (bool more = die_walk_first(&walk, &node->die, &child); more;
	     more = die_walk_next(&walk, &child)) {
		const char *its = dwarf_tag(&child) == DW_TAG_typedef ? dwarf_diename(&child)
								      : NULL;

		if (its && !strcmp(its, name))
			return type_from_die(class->owner, &child);
	}
	return NULL;
}
