#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Expressions over a live target: every kind of argument and result, C's operators and conversions, and
# data printed as gdb prints it (gdb itself is asked, on the same process).    timeout: 300 s
import re
import subprocess

from harness import TARGETS, Program, debugcall, expect, main, row, skip

CALLS = [
    ("add(1, 2)", "3"),
    ("next_char('b')", "99 'c'"),
    ("not_uchar(0)", "255 '\\377'"),
    ("twice(-300)", "-600"),
    ("sum9(1,2,3,4,5,6,7,8,9)", "285"),
    ("sum9(-1,-2,-3,-4,5,-6,-7,-8,-9)", "-235"),
    ("addf(1.5, 2.25)", "3.75"),
    ("muld(0.5, 3)", "1.5"),
    ("sum10d(1,2,3,4,5,6,7,8,9,10)", "385"),
    ("addl(1.25L, 2)", "3.25"),
    ("mixed(1, 2.5, 3, 4.5f, (struct point){2, 3}, 0.5L)", "17.5"),
    ("mixed(1, 2.5, 3, 4.5f, g_point, 0.5L)", "23.5"),
    ("conjf_((float _Complex) 3)", "3 + -0i"),
    ("mulc(g_complex, g_complex)", "-3 + 4i"),
    ("swapl((long double _Complex) g_complex)", "2 + 1i"),
    ("negate(0)", "true"),
    ("negate(5)", "false"),
    ("next_color(RED)", "GREEN"),
    ("next_color(g_color)", "RED"),
    ("square(-7)", "49"),
    ("square((__int128) 1 << 40)", str(1 << 80)),
    ("late128(1,2,3,4,5,(__int128)1 << 70,3)", str(15 + 3 * (1 << 70))),
    ("add4(g_vector, g_vector)", "{2, 4, 6, 8}"),
    ("flip(g_point)", "{x = 4, y = 3}"),
    ("flip((struct point){1, 2})", "{x = 2, y = 1}"),
    ("flip(flip(g_point)).x", "3"),
    ("scale_pair(g_pair, 3)", "{a = 7.5, b = 30}"),
    ("rotate((struct floats){1, 2, 3})", "{a = 2, b = 3, c = 1}"),
    ("shift(g_big, 10)", "{v = {11, 12, 13, 14, 15}}"),
    ("shift(g_big, 10).v[2]", "13"),
    ("more_bits(g_bits)", "{a = 6, b = -4, c = 78187493531}"),
    ("more_packed(g_packed)", "{c = 113 'q', d = 19.5}"),
    ("more_x87((struct x87){2.5L})", "{v = 3.5}"),
    ("as_double((union number){3}).d", "3"),
    ("sum_list(&g_head)", "3"),
    ("sum_array(g_array, 4)", "10"),
    ("sum_array((int[3]){5, 6, 7}, 3)", "18"),
    ('*(long double *) "\\0\\0\\0\\0\\0\\0\\0@\\xff?"', "<invalid float value>"),
    ('L"\\x110000" L"a9"', 'L"\\x110000\\1419"'),
    # As they are typed into gdb.
    ("print add(1, 2)", "3"),
    ("p/x 255", "0xff"),
    ("call add(2, 2)", "4"),
    ("print -g_point.x", "-3"),
    ("set var g_int = 42", "42"),
    ("$_strlen(g_text)", "5"),
    ('$_streq("abc", "abc")', "1"),
    ('$_streq(g_text, "no")', "0"),
    ('$_regex("abc", "a.c")', "1"),
    ('$_regex("xabc", "abc")', "0"),
    ("$_strlen(g_text) + length(g_text)", "10"),
    ('length("hello")', "5"),
    ('length("a" "bc")', "3"),
    ("length(g_text)", "5"),
    ("sum_va(3, 1, 2, 3)", "6"),
    ("sum_va(8, 1, 2, 3, 4, 5, 6, 7, 8)", "36"),
    ("sum_va(2, 'a', (short) 1)", "98"),
    ("sum_vad(2, 1.5, 2.5f)", "4"),
    ("sum_vad(10, 1.,2.,3.,4.,5.,6.,7.,8.,9.,10.)", "55"),
    ("apply(add, 3, 4)", "7"),
    ("apply(&add, 3, 4)", "7"),
    ("apply(g_function, 3, 4)", "7"),
    ("choose(1)(5, 6)", "11"),
    ("g_function(1, 1)", "2"),
    ("(*g_function)(1, 1)", "2"),
    ("g_head.op(2, 2)", "4"),
    ("g_head.next->op(2, 3)", "5"),
    ("kr(1.5f, 'a')", "98.5"),
    ("add(add(1, 2), add(3, 4))", "10"),
    ("add(1, 2) * 2 + sum_va(1, 5)", "11"),
    ("1 ? add(1, 1) : add(2, 2)", "2"),
    ("0 && add(1, 1)", "0"),
    ("(add(1, 1), add(2, 2))", "4"),
    ("self(&g_int) == &g_int", "1"),
    ("*(int *) self(&g_int)", "42"),
    ("greeting()[5]", "100 'd'"),
    ("getpid() > 0", "1"),
    ('strlen("abc")', "3"),
    ('(int) strlen("abcd")', "4"),
    ("((unsigned long (*)(const char *)) strlen)(\"abc\")", "3"),
    ("abs(-5)", "5"),
    ("malloc_trim(0) >= 0", "1"),
]

REFUSED = [
    ("half((_Float16) 1)", "_Float16"),
    ("quad((__float128) 1)", "__float128"),
    ("vfork()", "vfork"),
]

WRONG = [
    ("add(1)", 1, "few arguments"),
    ("add(1, 2, 3)", 1, "many arguments"),
    ("addd(1, 2)", 1, "add"),
    ("g_point.z", 1, "z"),
    ("add(1, 2", 1, ""),
    ("1 +", 1, ""),
    ("g_point + 1", 1, ""),
    ("1 / 0", 1, "zero"),
    ("*(int *) 0", 1, "0x0"),
    ("(struct nothing *) 0", 1, "nothing"),
    ("sizeof(struct nothing)", 1, "nothing"),
    ('"abc', 1, ""),
    ("'", 1, ""),
    ("flip(1)", 1, ""),
    ("12345678901234567890123456789012345678901234567890", 1, ""),
    ("$nosuch(1)", 1, ""),
    ('add("x", 1)', 1, "cut short"),
    ('g_int = "x"', 1, "cut short"),
    ("g_head.nxt", 1, "its members: next, value, op"),
    ("puts('hello')", 1, "double quotes"),
    ("return 5", 1, "no statements"),
    ("add(1, 2);", 1, "no statements"),
    ("(struct pont *) 0", 1, "did you mean 'point'?"),
    ("(pont) 1", 1, "did you mean 'point'?"),
    ("", 1, ""),
]

DATA = [
    "g_int", "s_int", "g_uchar", "g_char", "g_schar", "g_short", "g_ulong", "g_float", "g_double",
    "g_ldouble", "g_bool", "g_complex", "g_color", "g_flags", "g_point", "g_pair", "g_bits", "g_packed",
    "g_big", "g_anonymous", "g_number", "g_array", "g_matrix", "g_many", "g_text", "g_escapes", "g_string",
    "g_null", "g_pointer", "g_function", "g_vector", "&g_point", "&g_point.y", "&g_array", "&g_array[1]",
    "*g_pointer", "g_head", "*g_head.next", "&g_head", "g_head.op", "add", "&add", "*g_function",
    "g_array[1] + g_array[2]", "g_int / 5", "g_int % 5", "-g_int", "~g_int", "!g_int", "g_int << 3",
    "g_int >> 1", "g_int > 41", "g_int == 42 && g_short < 0", "g_float * 2", "g_float / 3", "g_double * 3",
    "1.0 / 3", "1.0f / 3", "10 / 4", "10 / 4.0", "10 % 3", "-7 / 2", "-7 % 2", "1 << 31", "0x7fffffff + 1",
    "0xffffffff", "0xffffffff + 1", "4294967295", "2147483648", "1u - 2", "1ul - 2", "'a'", "'a' + 1",
    "'\\n'", "'\\0'", "(char) 200", "(unsigned char) 200", "(short) 70000", "(float) 1 / 3", "(int) 3.99",
    "(unsigned char) -1", "(long) g_pointer == (long) &g_int", "sizeof(struct big)", "sizeof g_array",
    "sizeof(int)", "(void *) 0", "(char *) 0", "(int *) 0x1234", "(enum color) 5", "(enum color) 77",
    "(enum flags) 7", "(enum flags) 12", "(enum flags) 0", "g_array + 1", "&g_array[3] - &g_array[0]",
    "*(g_array + 2)", "g_text[0]", "g_string[2]", "*g_string@4", "g_array[0]@2", "g_head.next->value",
    "(&g_head)->value", "g_int ? 1 : 2", "(1, 2)", "5 > 3 > 1", "1 == 1.0", "g_bool + 1", "RED", "BLUE + 1",
    "g_color == BLUE", "(long) -1", "(unsigned long) -1", "1e10", "1.5e300 * 1e10", "1e400", "0.1f",
    "123456789.0f", "1e-5", "100000.0", "1e16", "3.0", "(bool) 5", "&g_matrix[1]", "g_matrix[1]",
    "*g_matrix", "g_big.v", "&g_big", "g_pair.b & 6", "g_pair.b | 5", "g_pair.b ^ 3", "\"lit\"",
    "sizeof(\"abc\")", "(struct point *) 0", "(struct point *) &g_pair", "g_vector[2]",
]

# gdb's print/x and its kin: every letter on every kind of value, in one session.
FORMATTED = [f"/{letter} {expr}" for letter in "xduotzacfs"
             for expr in ("g_int", "g_short", "g_uchar", "g_char", "g_ulong", "g_bool", "g_float", "g_double",
                          "g_color", "g_pointer", "g_string", "g_array", "g_text", "g_point", "g_pair", "g_bits",
                          "g_head.value", "g_bits.b")]


def one(program, expr, wanted):
    run = debugcall("-p", program.pid, "--", expr)
    expect(run.code == 0 and run.out == wanted + "\n", f"wanted {wanted}\n{run}")


def refused(program, expr, word):
    run = debugcall("-p", program.pid, "--", expr)
    expect(run.code == 6 and word in run.err and not run.out, run)


def wrong(program, expr, code, word):
    run = debugcall("-p", program.pid, "--", expr)
    expect(run.code == code and word in run.err and not run.out, run)


def gdb_values(pid, exprs):
    args = ["gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off", "-p", str(pid),
            "-ex", "frame function main"]
    for number, expr in enumerate(exprs):
        args += ["-ex", f"echo \\n@{number}@", "-ex", f"print{'' if expr[0] == '/' else ' '}{expr}"]
    text = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="surrogateescape", check=False).stdout
    values = {}
    for part in re.split(r"\n@(?=\d+@)", text)[1:]:
        number, _, answer = part.partition("@")
        match = re.match(r"\$\d+ = (.*)", answer.strip("\n"))
        if match:
            values[exprs[int(number)]] = match.group(1)
    return values


def formats(program):
    wanted = gdb_values(program.pid, FORMATTED)
    expect(len(wanted) > len(FORMATTED) * 9 // 10, wanted)
    exprs = [expr for expr in FORMATTED if expr in wanted]
    run = debugcall("-q", "-p", program.pid, *exprs)
    expect(run.code == 0, run)
    for expr, value in zip(exprs, run.out.splitlines()):
        expect(value == wanted[expr], f"{expr}: gdb prints {wanted[expr]}, got {value}")
    one(program, "/x add(10, 5)", "0xf")
    wrong(program, "/y g_int", 1, "formats")
    wrong(program, "/ g_int", 1, "formats")


def types_of_expressions(program):
    one(program, "(typeof(g_short)) 70000", "4464")
    one(program, "sizeof(typeof(g_big) *)", "8")
    one(program, "*(typeof(int) *) &g_int", "42")
    one(program, "_Generic(g_double, int: 1, double: 2, default: 3)", "2")
    one(program, "_Generic(g_text, char *: 1, default: 3)", "1")
    one(program, "_Generic(g_point, int: 1, default: add(1, 1))", "2")
    one(program, "_Alignof(double) + _Alignof(g_char)", "9")
    wrong(program, "_Generic(g_point, int: 1)", 1, "nothing for 'struct point'")
    wrong(program, "(typeof(nosuch)) 1", 1, "nosuch")


def like_gdb(program, expr, value):
    run = debugcall("-p", program.pid, "--", expr)
    expect(run.code == 0 and run.out == value + "\n", f"gdb prints {value}\n{run}")


def assignments(program):
    run = debugcall("-p", program.pid, "set_int(5)", "g_int", "g_int = 42", "g_int += 8", "g_int++",
                    "g_int", "g_point.x = 9", "g_point", "g_point.x = 3", "g_bits.a = 2", "g_bits",
                    "g_bits.a = 5", "g_int = 42")
    expect(run.code == 0, run)
    expect(run.out.splitlines() == ["5", "42", "50", "50", "51", "9", "{x = 9, y = 4}", "3", "2",
                                    "{a = 2, b = -3, c = 78187493530}", "5", "42"], run)


def history(program):
    run = debugcall("-p", program.pid, "add(1,2)", "add($1, $)", "$ + $$", "$v = 7", "$v * $1", "$2")
    expect(run.code == 0 and run.out.split() == ["3", "6", "9", "7", "21", "6"], run)


def locals_of_frames(program):
    run = debugcall("--frame", "middle", "-p", program.pid, "depth", "local", "where", "label",
                    "add(local, depth)")
    expect(run.code == 0, run)
    lines = run.out.splitlines()
    expect(lines[:3] == ["3", "30", "{x = 3, y = 30}"] and lines[3].endswith('"label"') and
           lines[4] == "33", run)
    run = debugcall("--frame", "2", "-p", program.pid, "local")
    expect(run.code == 0 and run.out == "20\n", run)


def registers(program):
    run = debugcall("-p", program.pid, "$rip", "$rsp", "$orig_rax", "(long) $rax")
    expect(run.code == 0 and len(run.out.splitlines()) == 4, run)


def no_call(program):
    run = debugcall("--no-call", "-p", program.pid, "add(1,2)")
    expect(run.code == 6 and not run.out, run)
    run = debugcall("--no-call", "-p", program.pid, "g_int + 1")
    expect(run.code == 0 and run.out == "43\n", run)


def vectors(program):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = file.read()
    if " avx512f" not in flags:
        skip("this processor has no AVX-512")
    one(program, "add8((v8sf){1,2,3,4,5,6,7,8}, (v8sf){1,1,1,1,1,1,1,1})", "{2, 3, 4, 5, 6, 7, 8, 9}")
    one(program, "add8d((v8df){1,2,3,4,5,6,7,8}, (v8df){1,1,1,1,1,1,1,1})", "{2, 3, 4, 5, 6, 7, 8, 9}")


def bad_input(program):
    for text in ("(" * 100000, "(" * 100000 + "1" + ")" * 100000, "1+" * 500000, "\udcff\udcfe", "add(1,\x01)",
                 "x" * 1000000):
        run = debugcall("-p", program.pid, "--", text) if len(text) < 130000 else None
        if run:
            expect(run.code in (1, 2) and run.err and not run.out, f"{text[:20]!r}: {run.code} {run.err[:300]}")


with Program(f"{TARGETS}/callfuncs") as target:
    for e, w in CALLS:
        row(e, one, target, e, w)
    for e, w in REFUSED:
        row(f"refused: {e}", refused, target, e, w)
    for e, c, w in WRONG:
        row(f"wrong: {e[:60]}", wrong, target, e, c, w)
    answers = gdb_values(target.pid, DATA)
    row("gdb answers", lambda: expect(len(answers) > len(DATA) * 3 // 4, answers))
    for e in DATA:
        if e in answers:
            row(f"as gdb prints it: {e}", like_gdb, target, e, answers[e])
        else:
            row(f"as gdb prints it: {e}", lambda: skip("gdb has no answer"))
    row("vectors of 32 and 64 bytes", vectors, target)
    row("assignments", assignments, target)
    row("formats", formats, target)
    row("typeof, _Generic, _Alignof", types_of_expressions, target)
    row("results and variables", history, target)
    row("locals of a frame", locals_of_frames, target)
    row("registers", registers, target)
    row("--no-call", no_call, target)
    row("bad input", bad_input, target)
main()
