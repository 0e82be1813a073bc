#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Writes a C file of random types and of functions that take and give them: what a compiler makes of
# it is the truth that the classification is compared with.
#
#   cases.py NAME SEED TYPES FUNCTIONS WIDEST-VECTOR
import random
import sys

NAME, SEED, NR_TYPES, NR_FUNCTIONS, WIDEST = sys.argv[1], *map(int, sys.argv[2:6])
choose = random.Random(SEED)

# C spelling, kind, format, signed, how the bytes that carry the value are marked
INTEGERS = [(name, "INT", signed) for name, signed in [
    ("char", 1), ("signed char", 1), ("unsigned char", 0), ("short", 1), ("unsigned short", 0),
    ("int", 1), ("unsigned int", 0), ("long", 1), ("unsigned long", 0), ("__int128", 1),
    ("unsigned __int128", 0)]]
FLOATS = [("float", "FLOAT", "32"), ("double", "FLOAT", "64"), ("long double", "FLOAT", "X87"),
          ("_Complex float", "COMPLEX", "32"), ("_Complex double", "COMPLEX", "64"),
          ("_Complex long double", "COMPLEX", "X87")]
VECTORS = [(element, size) for size in (2, 4, 8, 16, 32, 64) if size <= WIDEST
           for element in ("char", "short", "int", "long", "float", "double")
           if size >= 2 * {"char": 1, "short": 2, "int": 4, "float": 4, "long": 8, "double": 8}[element]]

out = []
init = []
masks = set()


def emit(text=""):
    out.append(text)


class Type:
    def __init__(self, spelling, table, is_bool=False, promoted=True):
        self.spelling, self.table = spelling, table
        self.is_bool, self.promoted = is_bool, promoted

    def declare(self, name):
        return f"{self.spelling} {name}"


def basic(spelling, fields, **more):
    table = "type_" + spelling.replace(" ", "_").replace("*", "p")
    emit(f"static struct type {table} = {{ {fields}, .name = \"{spelling}\", "
         f".size = sizeof({spelling}), .align = _Alignof({spelling}) }};")
    return Type(spelling, table, **more)


def mark(c_type, place, value):
    """C statements that set, in the byte array m, the bits of the object at place that count."""
    if isinstance(c_type, Record):
        return f"mark_{c_type.tag}(m + ({place}));"
    if c_type.is_bool:
        return f"m[{place}] |= 1;"
    if c_type.spelling == "long double":
        return f"memset(m + ({place}), 0xff, 10);"
    if c_type.spelling == "_Complex long double":
        return f"memset(m + ({place}), 0xff, 10); memset(m + ({place}) + 16, 0xff, 10);"
    return f"memset(m + ({place}), 0xff, {value});"


def mask_of(c_type):
    """A byte array for the type alone; a record's is made with the record."""
    name = "mask_" + (c_type.tag if isinstance(c_type, Record) else c_type.table)
    if name not in masks:
        masks.add(name)
        if not isinstance(c_type, Record):
            emit(f"static unsigned char {name}[sizeof({c_type.spelling})];")
            init.append(f"{{ unsigned char *m = {name}; " +
                        mark(c_type, "0", f"sizeof({c_type.spelling})") + " }")
    return name


class Record(Type):
    count = 0

    def __init__(self, scalars, records):
        self.tag = f"{'U' if choose.random() < 0.15 else 'S'}{Record.count}"
        Record.count += 1
        keyword = "union" if self.tag[0] == "U" else "struct"
        super().__init__(f"{keyword} {self.tag}", f"type_{self.tag}")
        members, marks, table, fields = [], [], [], []
        seen = self.depth = 0
        self.is_wide = False
        for i in range(choose.choice([0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 7])):
            name = f"m{i}"
            roll = choose.random()
            if roll < 0.15:
                base = choose.choice(["int", "unsigned int", "long", "unsigned char", "_Bool", "short"])
                width = 1 if base == "_Bool" else choose.randint(
                    1, {"int": 32, "unsigned int": 32, "long": 64, "unsigned char": 8, "short": 16}[base])
                members.append(f"{base} {name} : {width};")
                table.append((name, ALL[base].table, "0"))
                fields.append(f"{{ static {self.spelling} v; memset(&v, 0, sizeof(v)); "
                              f"v.{name} = {'1' if base == '_Bool' else '-1'}; "
                              f"bit_field(&v, sizeof(v), &members_{self.tag}[{seen}]); "
                              f"or_bytes(mask_{self.tag}, &v, sizeof(v)); }}")
                seen += 1
                continue
            if roll < 0.30 and (shallow := [r for r in records if r.depth < 2]):
                inner = choose.choice(shallow)
                self.depth = max(self.depth, inner.depth + 1)
            elif roll < 0.6:
                inner = choose.choice(scalars[:14])
            else:
                inner = choose.choice(scalars)
            align = " __attribute__((aligned(%d)))" % choose.choice([8, 16, 32]) \
                if choose.random() < 0.04 else ""
            self.is_wide |= bool(align) or "__int128" in inner.spelling or (
                isinstance(inner, Record) and inner.is_wide)
            if choose.random() < 0.2:
                n = choose.choice([1, 1, 2, 2, 3, 4, 8])
                array = f"{self.table}_{name}"
                emit(f"static struct type {array} = {{ .kind = TYPE_ARRAY, .target = &{inner.table}, "
                     f".count = {n}, .size = {n} * sizeof({inner.spelling}), "
                     f".align = _Alignof({inner.spelling}) }};")
                members.append(f"{inner.spelling} {name}[{n}]{align};")
                table.append((name, array, f"offsetof({self.spelling}, {name})"))
                marks.append(f"for (size_t i = 0; i < {n}; i++) {{ " + mark(
                    inner, f"offsetof({self.spelling}, {name}) + i * sizeof({inner.spelling})",
                    f"sizeof({inner.spelling})") + " }")
            else:
                members.append(f"{inner.spelling} {name}{align};")
                table.append((name, inner.table, f"offsetof({self.spelling}, {name})"))
                marks.append(mark(inner, f"offsetof({self.spelling}, {name})",
                                  f"sizeof({inner.spelling})"))
            seen += 1
        if seen and keyword == "struct" and choose.random() < 0.04:
            # [0] is not asked for: compilers differ on it.
            inner = choose.choice(scalars)
            emit(f"static struct type {self.table}_tail = {{ .kind = TYPE_ARRAY, "
                 f".target = &{inner.table}, .count = UINT64_MAX }};")
            members.append(f"{inner.spelling} tail[];")
            table.append(("tail", f"{self.table}_tail", f"offsetof({self.spelling}, tail)"))
            seen += 1
        attributes = ""
        if choose.random() < 0.15:
            attributes += " __attribute__((packed))"
        if choose.random() < 0.06:
            attributes += " __attribute__((aligned(%d)))" % choose.choice([2, 4, 8, 16, 32, 64])
            self.is_wide = True
        emit(f"{self.spelling} {{ {' '.join(members)} }}{attributes};")
        rows = ", ".join(f'{{ .name = "{n}", .type = &{t}, .offset = {o} }}' for n, t, o in table)
        emit(f"static struct type_member members_{self.tag}[{max(seen, 1)}] = {{ {rows} }};")
        emit(f"static unsigned char mask_{self.tag}[sizeof({self.spelling}) + 1];")
        emit(f"static struct members list_{self.tag} = {{ members_{self.tag}, {seen} }};")
        emit(f"static struct type {self.table} = {{ .kind = TYPE_{keyword.upper()}, "
             f".tag = \"{keyword}\", .name = \"{self.tag}\", .size = sizeof({self.spelling}), "
             f".align = _Alignof({self.spelling}), .origin = &list_{self.tag} }};")
        emit(f"_Static_assert(sizeof({self.spelling}) <= ABI_BYTES, \"\");")
        emit(f"static void mark_{self.tag}(unsigned char *m) {{ "
             f"or_bytes(m, mask_{self.tag}, sizeof({self.spelling})); }}")
        init.append(f"{{ unsigned char *m = mask_{self.tag}; (void)m; {' '.join(marks)} "
                    f"{' '.join(fields)} }}")


print(f"""// Generated by tests/unit/abi/cases.py, seed {SEED}.
#include "tests/unit/abi/cases.h"
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
""")
scalars = []
ALL = {}
for spelling, kind, signed in INTEGERS:
    ALL[spelling] = basic(spelling, f".kind = TYPE_{kind}, .is_signed = {signed}",
                          promoted="char" not in spelling and "short" not in spelling)
ALL["_Bool"] = basic("_Bool", ".kind = TYPE_BOOL", is_bool=True, promoted=False)
for spelling, kind, fmt in FLOATS:
    ALL[spelling] = basic(spelling, f".kind = TYPE_{kind}, .format = FLOAT_{fmt}",
                          promoted=spelling != "float")
ALL["void *"] = basic("void *", ".kind = TYPE_POINTER")
emit("enum color { RED, GREEN };")
ALL["enum color"] = basic("enum color", ".kind = TYPE_ENUM")
# The common ones first: members are drawn from them more often.
scalars = [ALL[n] for n in ("char", "short", "int", "long", "float", "double", "float", "double", "int",
                            "unsigned char", "_Bool", "void *", "unsigned long", "enum color")]
scalars += [t for t in ALL.values() if t not in scalars]
vectors = []
for element, size in VECTORS:
    name = f"{element}_v{size}"
    emit(f"typedef {element} {name} __attribute__((vector_size({size})));")
    emit(f"static struct type type_{name} = {{ .kind = TYPE_VECTOR, .target = &type_{element}, "
         f".count = {size} / sizeof({element}), .size = {size}, .align = _Alignof({name}), "
         f".name = \"{name}\" }};")
    vectors.append(Type(name, f"type_{name}"))
scalars += choose.sample(vectors, min(len(vectors), 14))
records = []
for _ in range(NR_TYPES):
    records.append(Record(scalars, records))

pool_scalars = scalars + vectors


def pick():
    return choose.choice(records) if choose.random() < 0.55 else choose.choice(pool_scalars)


emit("static struct type type_void = { .kind = TYPE_VOID, .name = \"void\" };")
rows = []
for i in range(NR_FUNCTIONS):
    result = pick() if choose.random() < 0.85 else None
    named = [pick() for _ in range(choose.choice([0, 1, 1, 2, 2, 3, 4, 6, 8, 12]))]
    more = []
    if choose.random() < 0.2:
        named = named or [ALL["int"]]
        # gcc 12 reads a 16-aligned record of integers with aligned moves from where va_start saved
        # it at 8, and crashes, whoever the caller is.
        more = [t for t in (pick() for _ in range(choose.choice([1, 2, 4, 9])))
                if t.promoted and not (isinstance(t, Record) and t.is_wide)]
    parameters = ", ".join(t.declare(f"a{n}") for n, t in enumerate(named)) or "void"
    if more:
        parameters += ", ..."
    body = []
    for n, t in enumerate(named):
        body.append(f"memcpy(abi_got[{n}], &a{n}, sizeof(a{n}));")
    if more:
        body.append(f"va_list list; va_start(list, a{len(named) - 1});")
        for n, t in enumerate(more, len(named)):
            body.append(f"{{ {t.declare('v')} = va_arg(list, {t.spelling}); "
                        f"memcpy(abi_got[{n}], &v, sizeof(v)); }}")
        body.append("va_end(list);")
    if result:
        body.append(f"{result.declare('r')}; memcpy(&r, abi_give, sizeof(r)); return r;")
    spelling = result.spelling if result else "void"
    emit(f"static __attribute__((noinline)) {spelling} function_{i}({parameters}) {{ {' '.join(body)} }}")
    emit(f"static struct type_param params_{i}[] = {{ "
         + ", ".join(f"{{ NULL, &{t.table} }}" for t in named) + " };")
    emit(f"static struct params list_of_{i} = {{ params_{i}, {len(named)} }};")
    emit(f"static struct type type_function_{i} = {{ .kind = TYPE_FUNCTION, .is_prototyped = true, "
         f".is_variadic = {1 if more else 0}, .origin = &list_of_{i}, "
         f".target = &{result.table if result else 'type_void'} }};")
    every = named + more
    arg_masks = ", ".join(mask_of(t) for t in every) or "NULL"
    emit(f"static unsigned char *arg_masks_{i}[] = {{ {arg_masks} }};")
    emit(f"static const struct type *arg_types_{i}[] = {{ "
         + (", ".join(f"&{t.table}" for t in every) or "NULL") + " };")
    text = f"{spelling} ({parameters})" + (
        " with " + ", ".join(t.spelling for t in more) if more else "")
    rows.append(f'{{ "{text}", (void *)function_{i}, &type_function_{i}, {len(every)}, '
                f"arg_types_{i}, arg_masks_{i}, {mask_of(result) if result else 'NULL'} }}")
emit(f"static void prepare(void) {{ {chr(10).join(init)} }}")
emit(f"static const struct abi_case cases[] = {{ {','.join(chr(10) + r for r in rows)} }};")
emit(f"const struct abi_suite {NAME} = {{ cases, {len(rows)}, prepare }};")
print("\n".join(out))
