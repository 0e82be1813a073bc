// SPDX-License-Identifier: MIT
// Values of the target in Lua: numbers are numbers, what has parts is a handle with fields.
#include "debugger/front/lua/lua.h"

#include <stdlib.h>
#include <string.h>

static const char handle[] = "debugcall value";

static struct dc_value *to_value(lua_State *lua, int index)
{
	struct dc_value **at = luaL_testudata(lua, index, handle);

	return at ? *at : NULL;
}

static uint64_t integer_of(const struct dc_value *value)
{
	uint64_t integer = 0;
	unsigned bits = 8 * (unsigned)value->type.size;

	memcpy(&integer, value->bytes, value->type.size);
	if (value->type.is_signed && bits < 64)
		integer = (uint64_t)((int64_t)(integer << (64 - bits)) >> (64 - bits));
	return integer;
}

static bool push_plain(lua_State *lua, const struct dc_value *value)
{
	long double extended;
	double real;
	float single;

	if (!value->bytes)
		return false;
	switch (value->type.kind) {
	case DC_TYPE_BOOL: lua_pushboolean(lua, *(const unsigned char *)value->bytes); return true;
	case DC_TYPE_INTEGER:
	case DC_TYPE_ENUM:
		if (value->type.size > 8)
			return false;
		lua_pushinteger(lua, (lua_Integer)integer_of(value));
		return true;
	case DC_TYPE_FLOAT:
		if (value->type.size == sizeof(single)) {
			memcpy(&single, value->bytes, sizeof(single));
			lua_pushnumber(lua, (lua_Number)single);
		} else if (value->type.size == sizeof(real)) {
			memcpy(&real, value->bytes, sizeof(real));
			lua_pushnumber(lua, real);
		} else if (value->type.size == sizeof(extended) &&
			   strcmp(value->type.name, "long double") == 0) {
			memcpy(&extended, value->bytes, sizeof(extended));
			lua_pushnumber(lua, (lua_Number)extended);
		} else {
			return false;
		}
		return true;
	default: return false;
	}
}

void lua_push_value(lua_State *lua, struct dc_value *value)
{
	if (!value || value->state != DC_VALUE_OK) {
		lua_pushnil(lua);
	} else if (!push_plain(lua, value)) {
		struct dc_value **at = lua_newuserdatauv(lua, sizeof(*at), 0);

		*at = value;
		luaL_setmetatable(lua, handle);
		return;
	}
	dc_value_destroy(value);
}

void lua_to_argument(lua_State *lua, int index, struct dc_argument *ret)
{
	const struct dc_value *value = to_value(lua, index);

	*ret = (struct dc_argument){ .kind = DC_INTEGER };
	if (lua_isinteger(lua, index)) {
		ret->integer = lua_tointeger(lua, index);
	} else if (lua_type(lua, index) == LUA_TNUMBER) {
		ret->kind = DC_DOUBLE;
		ret->real = lua_tonumber(lua, index);
	} else if (lua_isboolean(lua, index)) {
		ret->integer = lua_toboolean(lua, index);
	} else if (lua_isstring(lua, index)) {
		ret->kind = DC_STRING;
		ret->string = lua_tostring(lua, index);
	} else if (lua_isnil(lua, index)) {
		ret->kind = DC_UNSIGNED;
	} else if (value && value->type.kind == DC_TYPE_POINTER && value->bytes) {
		ret->kind = DC_UNSIGNED;
		ret->number = integer_of(value);
	} else {
		lua_complain(lua, "argument %d is no number, text or pointer", index - 1);
	}
}

// ---- handles --------------------------------------------------------------------------------------

static int destroy(lua_State *lua)
{
	dc_value_destroy(to_value(lua, 1));
	return 0;
}

static int text_of(lua_State *lua)
{
	const struct dc_value *value = to_value(lua, 1);
	char *text = NULL;
	struct dc_error *err = value ? dc_value_text(value, 0, &text) : NULL;

	if (!value)
		return lua_complain(lua, "this is no value of the target");
	if (err)
		return lua_raise(lua, err);
	lua_pushstring(lua, text ? text : "void");
	free(text);
	return 1;
}

static int length_of(lua_State *lua)
{
	lua_pushinteger(lua, (lua_Integer)to_value(lua, 1)->nr_children);
	return 1;
}

// The child at a place; NULL: there is none.
static struct dc_value *child_at(lua_State *lua, const struct dc_value *value, uint64_t index)
{
	struct dc_value *child = NULL;
	size_t n = 0;

	if (index >= value->nr_children)
		return NULL;

	struct dc_error *err = dc_value_children(value, index, 1, &child, &n);

	if (err)
		lua_raise(lua, err);
	return n ? child : NULL;
}

// A member; those of unnamed parts and bases are found too.
static struct dc_value *child_named(lua_State *lua, const struct dc_value *value, const char *name)
{
	for (uint64_t i = 0; i < value->nr_children; i++) {
		struct dc_value *child = child_at(lua, value, i), *inner = NULL;

		if (child && child->name && !strcmp(child->name, name))
			return child;
		if (child &&
		    (child->type.kind == DC_TYPE_STRUCT || child->type.kind == DC_TYPE_UNION) &&
		    (!child->name || !*child->name || *child->name == '<'))
			inner = child_named(lua, child, name);
		dc_value_destroy(child);
		if (inner)
			return inner;
	}
	return NULL;
}

// v.member, v[0], p.member through a pointer, p[0] is what it points to.
static int index_of(lua_State *lua)
{
	const struct dc_value *value = to_value(lua, 1);
	struct dc_value *child, *pointed = NULL;

	if (lua_isinteger(lua, 2)) {
		lua_Integer at = lua_tointeger(lua, 2);

		child = at < 0 ? NULL : child_at(lua, value, (uint64_t)at);
		if (!child)
			return lua_complain(lua, "there is no element %lld", (long long)at);
		lua_push_value(lua, child);
		return 1;
	}

	const char *name = luaL_checkstring(lua, 2);

	if (value->type.kind == DC_TYPE_POINTER || value->type.kind == DC_TYPE_REFERENCE) {
		pointed = child_at(lua, value, 0);
		// A pointer to a struct has its members for children, or the one that it points to.
		if (pointed && pointed->name && *pointed->name != '*') {
			dc_value_destroy(pointed);
			pointed = NULL;
		}
	}
	child = child_named(lua, pointed ? pointed : value, name);
	dc_value_destroy(pointed);
	if (!child)
		return lua_complain(lua, "there is no member '%s' in %s", name, value->type.name);
	lua_push_value(lua, child);
	return 1;
}

static int equals(lua_State *lua)
{
	const struct dc_value *a = to_value(lua, 1), *b = to_value(lua, 2);

	lua_pushboolean(lua, a && b && a->bytes && b->bytes && a->type.size == b->type.size &&
				     !memcmp(a->bytes, b->bytes, a->type.size));
	return 1;
}

void lua_open_values(lua_State *lua)
{
	static const luaL_Reg methods[] = {
		{ "__gc", destroy },	 { "__tostring", text_of }, { "__len", length_of },
		{ "__index", index_of }, { "__eq", equals },	    { NULL, NULL },
	};

	luaL_newmetatable(lua, handle);
	luaL_setfuncs(lua, methods, 0);
	lua_pop(lua, 1);
}

// ---- what is asked of a value ---------------------------------------------------------------------

int lua_value_type(lua_State *lua)
{
	const struct dc_value *value = to_value(lua, 1);

	lua_pushstring(lua, value ? value->type.name : luaL_typename(lua, 1));
	return 1;
}

// Where an object is, or where a pointer points; nil: nowhere.
int lua_value_address(lua_State *lua)
{
	const struct dc_value *value = to_value(lua, 1);

	if (value && value->type.kind == DC_TYPE_POINTER && value->bytes)
		lua_pushinteger(lua, (lua_Integer)integer_of(value));
	else if (value && value->lvalue == DC_LVALUE_MEMORY)
		lua_pushinteger(lua, (lua_Integer)value->addr);
	else if (lua_isinteger(lua, 1))
		lua_pushvalue(lua, 1);
	else
		lua_pushnil(lua);
	return 1;
}
