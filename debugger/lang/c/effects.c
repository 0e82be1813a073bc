// SPDX-License-Identifier: MIT
// What an expression may do, read off its tree before anything is done.
#include "debugger/lang/c/ast.h"

#include <string.h>

struct walk {
	struct expression *expression;
	struct effects effects;
	const struct function **callees;
	size_t room;
	bool out_of_memory;
	bool unevaluated; // inside of sizeof: only where its names are found matters
};

static void visit(struct walk *walk, const struct node *node);

static void visit_items(struct walk *walk, const struct node *node)
{
	for (const struct item *item = node->list.items; item; item = item->next)
		visit(walk, item->value);
}

static void add_callee(struct walk *walk, const struct function *function)
{
	size_t n = walk->effects.nr_callees;

	for (size_t i = 0; i < n; i++)
		if (walk->callees[i]->addr == function->addr)
			return;
	if (n == walk->room) {
		size_t room = n ? 2 * n : 8;
		const struct function **grown = arena_alloc(&walk->expression->arena,
							    room * sizeof(*grown));

		walk->out_of_memory |= !grown;
		if (!grown)
			return;
		if (n)
			memcpy(grown, walk->callees, n * sizeof(*grown));
		walk->callees = grown;
		walk->room = room;
	}
	walk->callees[walk->effects.nr_callees++] = function;
	walk->effects.loads |= symbols_may_load(function);
}

// The function's name under what a caller puts around it: casts, & and *.
static const struct node *undressed(const struct node *node)
{
	while (node->kind == NODE_CAST ||
	       (node->kind == NODE_UNARY && (node->op == OP_ADDRESS || node->op == OP_DEREFERENCE)))
		node = node->left;
	return node;
}

// named: what the callee's name stands for; NULL: it is not called by name.
static void take_callees(struct walk *walk, const struct node *node, const struct resolution *named)
{
	walk->effects.calls = true;
	if (node->chosen->function)
		add_callee(walk, node->chosen->function);
	else if (!named)
		walk->effects.has_unknown_callee = walk->effects.loads = true;
	else if (!named->nr_overloads)
		add_callee(walk, &named->function);
	// Of several that the name may mean, each could be the one.
	for (size_t i = 0; named && !node->chosen->function && i < named->nr_overloads; i++)
		add_callee(walk, &named->overloads[i]);
}

static void visit_call(struct walk *walk, const struct node *node)
{
	const struct node *callee = undressed(node->call.callee);
	bool is_named = callee->kind == NODE_NAME && callee->what->kind == NAME_FUNCTION;

	if (!walk->unevaluated)
		take_callees(walk, node, is_named ? callee->what : NULL);
	if (!is_named)
		visit(walk, callee);
	for (size_t i = 0; i < node->call.nr_args; i++)
		visit(walk, node->call.args[i]);
}

// The variables after a dollar are the session's own.
static void visit_written(struct walk *walk, const struct node *node)
{
	walk->effects.writes |= node->kind != NODE_VARIABLE && !walk->unevaluated;
}

static void visit_name(struct walk *walk, const struct node *node)
{
	const struct resolution *what = node->what;

	walk->effects.names_plainly = true;
	if (what->kind == NAME_UNKNOWN || what->is_local ||
	    (what->kind == NAME_VARIABLE && what->variable.place == VARIABLE_TLS))
		walk->effects.needs_frame = true;
	// Whichever thread it is, by its thread pointer alone.
	if (what->kind == NAME_VARIABLE && what->variable.place == VARIABLE_THREAD)
		walk->effects.needs_thread |= !walk->unevaluated;
}

static void visit_unevaluated(struct walk *walk, const struct node *node)
{
	bool outer = walk->unevaluated;

	walk->unevaluated = true;
	visit(walk, node);
	walk->unevaluated = outer;
}

// An operator or a conversion that the program defines.
static void visit_operator(struct walk *walk, const struct node *node)
{
	if (node->kind != NODE_CALL && node->chosen->calls && !walk->unevaluated)
		take_callees(walk, node, NULL);
}

// The depth of a tree is bounded by the parser, but for the left spine of a long sum.
static void visit(struct walk *walk, const struct node *node)
{
	for (; node && (node->kind == NODE_BINARY || node->kind == NODE_COMMA); node = node->left) {
		visit_operator(walk, node);
		visit(walk, node->right);
	}
	if (!node)
		return;
	visit_operator(walk, node);
	switch ((enum node_kind)node->kind) {
	case NODE_NAME: visit_name(walk, node); return;
	case NODE_CALL: visit_call(walk, node); return;
	case NODE_OBJECT:
	case NODE_CONVENIENCE:
		visit(walk, node->call.callee);
		for (size_t i = 0; i < node->call.nr_args; i++)
			visit(walk, node->call.args[i]);
		return;
	case NODE_LIST:
	case NODE_COMPOUND: visit_items(walk, node); return;
	case NODE_MEMBER: visit(walk, node->object); return;
	case NODE_REGISTER: walk->effects.reads_registers |= !walk->unevaluated; return;
	case NODE_CONSTANT:
	case NODE_STRING:
	case NODE_VALUE:
	case NODE_MEMBER_ADDRESS:
	case NODE_VARIABLE: return;
	case NODE_SIZEOF: visit_unevaluated(walk, node->left); return;
	case NODE_INCREMENT:
	case NODE_ASSIGN: visit_written(walk, node->left); break;
	case NODE_UNARY:
	case NODE_BINARY:
	case NODE_LOGICAL:
	case NODE_CONDITIONAL:
	case NODE_COMMA:
	case NODE_CAST:
	case NODE_TYPEID:
	case NODE_INDEX:
	case NODE_AT_TYPE: break;
	}
	visit(walk, node->left);
	visit(walk, node->right);
	visit(walk, node->third);
}

struct dc_error *effects_find(struct expression *expression)
{
	struct walk walk = { .expression = expression };
	const struct node *whole = expression->root;

	visit(&walk, whole);
	if (whole->kind == NODE_NAME && whole->what->kind == NAME_FUNCTION &&
	    !whole->what->nr_overloads)
		walk.effects.function = &whole->what->function;
	while (whole->kind == NODE_CAST)
		whole = whole->left;
	walk.effects.is_call = whole->kind == NODE_CALL;
	walk.effects.callees = walk.callees;
	expression->effects = walk.effects;
	return walk.out_of_memory ? &dc_out_of_memory : NULL;
}
