// SPDX-License-Identifier: MIT
// What an expression would do, read off its tree before anything is done.
#include "debugger/values/ast.h"

struct survey {
	bool (*callee)(const struct function *function, void *arg);
	void *arg;
	bool names_plainly;
	bool ended;
};

static void visit(struct survey *survey, const struct node *node);

static void visit_items(struct survey *survey, const struct node *node)
{
	for (const struct item *item = node->list.items; item; item = item->next)
		visit(survey, item->value);
}

// The function's name under what a caller puts around it: casts, & and *.
static const struct node *undressed(const struct node *node)
{
	while (node->kind == NODE_CAST ||
	       (node->kind == NODE_UNARY && (node->op == OP_ADDRESS || node->op == OP_DEREFERENCE)))
		node = node->left;
	return node;
}

static void visit_call(struct survey *survey, const struct node *node)
{
	const struct node *callee = undressed(node->call.callee);
	bool is_named = callee->kind == NODE_NAME && callee->what->kind == NAME_FUNCTION;

	// Of several that the name may mean, each could be the one.
	for (size_t i = 0;
	     is_named && survey->callee && i < callee->what->nr_overloads && !survey->ended; i++)
		survey->ended = !survey->callee(&callee->what->overloads[i], survey->arg);
	if (survey->callee && !survey->ended && !(is_named && callee->what->nr_overloads))
		survey->ended = !survey->callee(is_named ? &callee->what->function : NULL,
						survey->arg);
	if (!is_named)
		visit(survey, callee);
	for (size_t i = 0; i < node->call.nr_args; i++)
		visit(survey, node->call.args[i]);
}

// The depth of a tree is bounded by the parser, but for the left spine of a long sum.
static void visit(struct survey *survey, const struct node *node)
{
	for (; node && (node->kind == NODE_BINARY || node->kind == NODE_COMMA); node = node->left)
		visit(survey, node->right);
	if (!node)
		return;
	switch ((enum node_kind)node->kind) {
	case NODE_NAME: survey->names_plainly = true; return;
	case NODE_CALL: visit_call(survey, node); return;
	case NODE_LIST:
	case NODE_COMPOUND: visit_items(survey, node); return;
	case NODE_MEMBER: visit(survey, node->object); return;
	case NODE_CONSTANT:
	case NODE_STRING:
	case NODE_VARIABLE:
	case NODE_REGISTER: return;
	case NODE_UNARY:
	case NODE_INCREMENT:
	case NODE_BINARY:
	case NODE_LOGICAL:
	case NODE_CONDITIONAL:
	case NODE_ASSIGN:
	case NODE_COMMA:
	case NODE_CAST:
	case NODE_SIZEOF:
	case NODE_INDEX:
	case NODE_AT_TYPE:
		visit(survey, node->left);
		visit(survey, node->right);
		visit(survey, node->third);
		return;
	}
}

bool expression_names_plainly(const struct expression *expression)
{
	struct survey survey = { 0 };

	visit(&survey, expression->root);
	return survey.names_plainly;
}

bool expression_each_callee(const struct expression *expression,
			    bool (*callee)(const struct function *function, void *arg), void *arg)
{
	struct survey survey = { .callee = callee, .arg = arg };

	visit(&survey, expression->root);
	return !survey.ended;
}

const struct type *expression_function(const struct expression *expression, uint64_t *addr)
{
	const struct node *root = expression->root;

	if (root->kind != NODE_NAME || root->what->kind != NAME_FUNCTION ||
	    root->what->nr_overloads)
		return NULL;
	*addr = root->what->function.addr;
	return root->what->type;
}
