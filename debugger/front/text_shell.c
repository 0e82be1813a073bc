// SPDX-License-Identifier: MIT
// Records of the shell's commands for eyes.
#include "debugger/front/style.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put_output(const struct field *output)
{
	fputs(field_text(output, "value") ? field_text(output, "value") : "void", stdout);
}

static void put_echo(const struct field *echo)
{
	fputs(field_text(echo, "text"), stdout);
}

static void put_display(const struct field *display)
{
	printf("%" PRIu64 ": %s", field_count(display, "number"), field_text(display, "expr"));
	if (field_text(display, "value"))
		printf(" = %s", field_text(display, "value"));
	putchar('\n');
}

// "main+4 at file.c:12", as far as it is known.
static void put_place(const struct field *frame)
{
	const char *function = field_text(frame, "function"), *file = field_text(frame, "file");
	const char *module = field_text(frame, "module");

	if (function)
		style_print(stdout, STYLE_FUNCTION, "%s", function);
	else
		style_print(stdout, STYLE_ADDRESS, "0x%" PRIx64, field_address(frame, "pc"));
	if (function && !file && field_count(frame, "offset"))
		printf("+%" PRIu64, field_count(frame, "offset"));
	if (file) {
		fputs(" at ", stdout);
		style_print(stdout, STYLE_FILE, "%s:%jd", file,
			    (intmax_t)field_integer(frame, "line"));
	} else if (module) {
		printf(" from %s", module);
	}
}

static void put_thread(const struct field *thread)
{
	const struct field *frame = field_find(thread, "frame");
	const char *wait = field_text(thread, "wait"), *detail = field_text(thread, "detail");

	printf("%c %-3" PRIu64 " %-8jd %-15s  ", field_flag(thread, "current") ? '*' : ' ',
	       field_count(thread, "number"), (intmax_t)field_integer(thread, "thread"),
	       field_text(thread, "name"));
	if (field_text(thread, "goroutine"))
		printf("goroutine %s  ", field_text(thread, "goroutine"));
	if (wait)
		printf("in %s%s%s  ", wait, detail ? " " : "", detail ? detail : "");
	else
		fputs("running  ", stdout);
	if (frame)
		put_place(frame);
	else if (field_text(thread, "why"))
		fputs(field_text(thread, "why"), stdout);
	putchar('\n');
}

static void put_chosen(const struct field *chosen)
{
	const char *what = field_text(chosen, "what");

	if (!field_find(chosen, "number"))
		printf("no %s is chosen\n", what);
	else if (field_find(chosen, "thread"))
		printf("thread %" PRIu64 " (%jd)%s\n", field_count(chosen, "number"),
		       (intmax_t)field_integer(chosen, "thread"),
		       field_flag(chosen, "ours") ? "" : "; calls may use another");
	else
		printf("%s %" PRIu64 "\n", what, field_count(chosen, "number"));
}

static void put_frame(const struct field *frame)
{
	printf("%c#%-3" PRIu64 " ", field_flag(frame, "current") ? '*' : ' ',
	       field_count(frame, "number"));
	style_print(stdout, STYLE_ADDRESS, "0x%016" PRIx64, field_address(frame, "pc"));
	fputs(" in ", stdout);
	put_place(frame);
	printf("%s%s%s\n", field_flag(frame, "inlined") ? " (inlined)" : "",
	       field_flag(frame, "signal") ? " (a signal)" : "",
	       field_flag(frame, "guessed") ? " (its caller is a guess)" : "");
}

static void put_each(const struct field *each)
{
	const char *what = field_text(each, "what"), *name = field_text(each, "name");

	if (field_text(each, "goroutine"))
		printf("%s %s:\n", what, field_text(each, "goroutine"));
	else
		printf("%s %jd (%s):\n", what, (intmax_t)field_integer(each, what), name);
}

static void put_exit(const struct field *ended)
{
	printf("process %jd exited with status %jd\n", (intmax_t)field_integer(ended, "pid"),
	       (intmax_t)field_integer(ended, "status"));
}

static void put_handling(const struct field *handling)
{
	const char *description = field_text(handling, "description");

	printf("%-10s %-7s %-8s %-7s %s\n", field_text(handling, "name"),
	       field_flag(handling, "stop") ? "stop" : "nostop",
	       field_flag(handling, "print") ? "print" : "noprint",
	       field_flag(handling, "pass") ? "pass" : "nopass", description ? description : "");
}

static void put_skip(const struct field *skip)
{
	const char *function = field_text(skip, "function"), *file = field_text(skip, "file");

	printf("skip %" PRIu64 ": %s%s%s%s%s\n", field_count(skip, "number"),
	       function ? "function " : "", function ? function : "", file ? "file " : "",
	       file ? file : "", field_flag(skip, "enabled") ? "" : ", disabled");
}

static void put_core(const struct field *core)
{
	printf("%s has the process, %" PRIu64 " thread%s\n", field_text(core, "file"),
	       field_count(core, "threads"), field_count(core, "threads") == 1 ? "" : "s");
}

static void put_environment(const struct field *variable)
{
	const char *value = field_text(variable, "value");

	if (value)
		printf("%s=%s\n", field_text(variable, "name"), value);
	else
		printf("%s is taken away\n", field_text(variable, "name"));
}

static void put_change(const struct field *stop)
{
	const char *was = field_text(stop, "was"), *is = field_text(stop, "is");
	const char *watched = field_text(stop, "watched");

	printf("  %s ", watched ? watched : "it");
	if (was && strcmp(was, is) != 0)
		printf("was %s, ", was);
	printf("is %s\n", is);
}

static void put_call(const struct field *call)
{
	printf("call %" PRIu64 " on thread %jd: %s\n", field_count(call, "number"),
	       (intmax_t)field_integer(call, "thread"), field_text(call, "expr"));
}

static void put_returned(const struct field *returned)
{
	const char *value = field_text(returned, "value"),
		   *failure = field_text(returned, "failure");

	if (value)
		printf("$%" PRIu64 " = %s\n", field_count(returned, "result"), value);
	else
		printf("call %" PRIu64 " %s\n", field_count(returned, "call"),
		       failure ? failure : "has returned");
}

static void put_syscall(const struct field *stop)
{
	const char *name = field_text(stop, "syscall_name");
	const struct field *result = field_find(stop, "result_of_syscall");

	printf(result ? "behind system call %jd" : "before system call %jd",
	       (intmax_t)field_integer(stop, "syscall"));
	if (name)
		printf(" (%s)", name);
	if (result)
		printf(", which gave %jd", (intmax_t)result->integer);
	fputs(", ", stdout);
}

static void put_stop(const struct field *stop)
{
	const char *reason = field_text(stop, "reason"), *signal = field_text(stop, "signal");
	const char *description = field_text(stop, "description");

	printf("thread %jd ", (intmax_t)field_integer(stop, "thread"));
	if (!strcmp(reason, "watchpoint"))
		printf("at watchpoint %" PRIu64 ", ", field_count(stop, "breakpoint"));
	else if (!strcmp(reason, "scope"))
		printf("has left the frame of watchpoint %" PRIu64 ", which is gone, ",
		       field_count(stop, "breakpoint"));
	else if (field_find(stop, "syscall"))
		put_syscall(stop);
	else if (field_find(stop, "breakpoint") && signal)
		printf("caught %s (%s), ", signal, description ? description : "");
	else if (field_find(stop, "child"))
		printf("has made process %jd by %s, ", (intmax_t)field_integer(stop, "child"),
		       reason);
	else if (!strcmp(reason, "load"))
		fputs("has loaded a library, ", stdout);
	else if (!strcmp(reason, "exec"))
		fputs("is another program, ", stdout);
	else if (field_find(stop, "breakpoint"))
		printf("at breakpoint %" PRIu64 ", ", field_count(stop, "breakpoint"));
	else if (signal)
		printf("at %s (%s), ", signal, description ? description : "");
	else
		printf("stopped (%s), ", reason);
	fputs("in ", stdout);
	put_place(field_find(stop, "frame"));
	putchar('\n');
	if (field_text(stop, "is"))
		put_change(stop);
	if (field_text(stop, "returned"))
		printf("Value returned is $%" PRIu64 " = %s\n", field_count(stop, "result"),
		       field_text(stop, "returned"));
	if (field_text(stop, "problem"))
		printf("  %s\n", field_text(stop, "problem"));
}

// What the command that sets it makes.
static const char *noun_of(const struct field *breakpoint)
{
	const char *set_by = field_text(breakpoint, "set_by");

	if (!strcmp(set_by, "watch"))
		return "watchpoint";
	if (!strcmp(set_by, "rwatch"))
		return "read watchpoint";
	if (!strcmp(set_by, "awatch"))
		return "access watchpoint";
	return field_flag(breakpoint, "temporary") ? "temporary breakpoint" : "breakpoint";
}

static void put_breakpoint(const struct field *breakpoint)
{
	const struct field *locations = field_find(breakpoint, "locations");
	const char *condition = field_text(breakpoint, "condition");

	const char *set_by = field_text(breakpoint, "set_by"),
		   *place = field_text(breakpoint, "place"),
		   *armed_by = field_text(breakpoint, "armed_by");

	if (!strncmp(set_by, "catch ", 6))
		printf("catchpoint %" PRIu64 " of %s%s%s", field_count(breakpoint, "number"),
		       set_by + 6, place && *place ? " " : "", place ? place : "");
	else
		printf("%s %" PRIu64 " %s %s", noun_of(breakpoint),
		       field_count(breakpoint, "number"),
		       field_find(breakpoint, "address") ? "on" : "at", place);
	if (field_find(breakpoint, "thread"))
		printf(" thread %jd", (intmax_t)field_integer(breakpoint, "thread"));
	if (condition)
		printf(" if%s%s", *condition == ' ' ? "" : " ", condition);
	// Nothing is said of the usual.
	if (armed_by && strcmp(armed_by, "hardware") != 0)
		printf(", by %s", armed_by);
	if (!field_flag(breakpoint, "enabled"))
		fputs(", disabled", stdout);
	printf(", %" PRIu64 " hit%s", field_count(breakpoint, "hits"),
	       field_count(breakpoint, "hits") == 1 ? "" : "s");
	if (field_count(breakpoint, "ignore"))
		printf(", the next %" PRIu64 " go by", field_count(breakpoint, "ignore"));
	putchar('\n');
	if (field_text(breakpoint, "why_not_kernel"))
		printf("    each hit is a stop: %s\n", field_text(breakpoint, "why_not_kernel"));
	else if (condition && !strcmp(field_text(breakpoint, "judged_by"), "kernel"))
		puts("    the kernel judges the condition: false hits stop nobody");
	if (field_count(breakpoint, "unjudged"))
		printf("    %" PRIu64 " let by unjudged: the kernel was at another BPF program\n",
		       field_count(breakpoint, "unjudged"));
	if (field_find(breakpoint, "address")) {
		fputs("    ", stdout);
		style_print(stdout, STYLE_ADDRESS, "0x%" PRIx64,
			    field_address(breakpoint, "address"));
		putchar('\n');
	}
	for (const struct field *at = locations ? locations->first : NULL; at; at = at->next) {
		fputs("    ", stdout);
		style_print(stdout, STYLE_ADDRESS, "0x%" PRIx64, field_address(at, "pc"));
		fputs(" in ", stdout);
		put_place(at);
		putchar('\n');
	}
}

static void put_variable(const struct field *variable)
{
	style_print(stdout, STYLE_NAME, "%s", field_text(variable, "name"));
	if (field_text(variable, "why"))
		printf(" = <%s>\n", field_text(variable, "why"));
	else
		printf(" = %s\n",
		       field_text(variable, "value") ? field_text(variable, "value") : "void");
}

static void put_register(const struct field *variable)
{
	const char *why = field_text(variable, "why"), *value = field_text(variable, "value");

	printf("%-8s ", field_text(variable, "name"));
	if (why)
		printf("<%s>\n", why);
	else if (field_text(variable, "hex"))
		printf("%-18s %s\n", field_text(variable, "hex"), value);
	else
		puts(value ? value : "void");
}

static void put_address(const struct field *record)
{
	const char *symbol = field_text(record, "symbol");

	style_print(stdout, STYLE_ADDRESS, "0x%" PRIx64, field_address(record, "address"));
	if (!symbol)
		return;
	fputs(" <", stdout);
	style_print(stdout, STYLE_FUNCTION, "%s", symbol);
	if (field_count(record, "offset"))
		printf("+%" PRIu64, field_count(record, "offset"));
	putchar('>');
}

static void put_memory(const struct field *memory)
{
	const struct field *values = field_find(memory, "values");

	put_address(memory);
	putchar(':');
	for (const struct field *each = values ? values->first : NULL; each; each = each->next)
		printf("\t%s", each->text);
	if (field_text(memory, "text"))
		printf("\t%s", field_text(memory, "text"));
	putchar('\n');
}

static void put_instruction(const struct field *instruction)
{
	const char *target = field_text(instruction, "target_symbol");

	fputs(field_flag(instruction, "current") ? "=> " : "   ", stdout);
	put_address(instruction);
	fputs(":\t", stdout);
	if (field_text(instruction, "bytes"))
		printf("%s\t", field_text(instruction, "bytes"));
	fputs(field_text(instruction, "text"), stdout);
	if (target) {
		fputs("  # <", stdout);
		style_print(stdout, STYLE_FUNCTION, "%s", target);
		if (field_count(instruction, "target_offset"))
			printf("+%" PRIu64, field_count(instruction, "target_offset"));
		putchar('>');
	}
	putchar('\n');
}

static void put_found(const struct field *found)
{
	put_address(found);
	putchar('\n');
}

static void put_line(const struct field *line)
{
	printf("%s%-6jd %s\n", field_flag(line, "current") ? ">" : " ",
	       (intmax_t)field_integer(line, "number"), field_text(line, "text"));
}

static void put_source(const struct field *source)
{
	const char *text = field_text(source, "text");

	style_print(stdout, STYLE_FILE, "%s:%jd", field_text(source, "file"),
		    (intmax_t)field_integer(source, "line"));
	printf("%s%s\n", text ? "\t" : "", text ? text : "");
}

static void put_location(const struct field *location)
{
	const char *file = field_text(location, "file");

	if (file)
		style_print(stdout, STYLE_FILE, "%s:%jd", file,
			    (intmax_t)field_integer(location, "line"));
	else
		fputs("no source line", stdout);
	fputs(" is at ", stdout);
	style_print(stdout, STYLE_ADDRESS, "0x%" PRIx64, field_address(location, "address"));
	if (field_text(location, "function")) {
		fputs(" <", stdout);
		style_print(stdout, STYLE_FUNCTION, "%s", field_text(location, "function"));
		if (field_count(location, "offset"))
			printf("+%" PRIu64, field_count(location, "offset"));
		putchar('>');
	}
	if (field_address(location, "end"))
		printf(" up to 0x%" PRIx64, field_address(location, "end"));
	putchar('\n');
}

static void put_symbol(const struct field *symbol)
{
	style_print(stdout, STYLE_FUNCTION, "%s", field_text(symbol, "name"));
	printf(" + %" PRIu64, field_count(symbol, "offset"));
	if (field_text(symbol, "module"))
		printf(" in %s", field_text(symbol, "module"));
	putchar('\n');
}

static void put_module(const struct field *module)
{
	const char *problem = field_text(module, "problem");

	printf("0x%012" PRIx64 "  0x%012" PRIx64 "  %-5s  %s%s%s\n", field_address(module, "start"),
	       field_address(module, "end"), field_flag(module, "debug") ? "debug" : "-",
	       field_text(module, "path"), problem ? ": " : "", problem ? problem : "");
}

static void put_mapping(const struct field *mapping)
{
	printf("0x%012" PRIx64 "  0x%012" PRIx64 "  %s  0x%-8" PRIx64 " %s\n",
	       field_address(mapping, "start"), field_address(mapping, "end"),
	       field_text(mapping, "access"), field_address(mapping, "offset"),
	       field_text(mapping, "path"));
}

static void put_global(const struct field *variable)
{
	const char *declaration = field_text(variable, "declaration");
	const char *file = field_text(variable, "file");

	if (field_find(variable, "address"))
		style_print(stdout, STYLE_ADDRESS, "0x%-14" PRIx64,
			    field_address(variable, "address"));
	else
		printf("%-16s", "-");
	printf("  %s", declaration ? declaration : field_text(variable, "name"));
	if (file) {
		fputs("  ", stdout);
		style_print(stdout, STYLE_FILE, "%s:%jd", file,
			    (intmax_t)field_integer(variable, "line"));
	} else {
		printf("  [%s]", field_text(variable, "module"));
	}
	putchar('\n');
}

static void put_name(const struct field *name)
{
	puts(field_text(name, "name"));
}

static void put_scope_name(const struct field *name)
{
	printf("%s (%s)\n", field_text(name, "name"), field_text(name, "kind"));
}

static void put_signal(const struct field *signal)
{
	const char *description = field_text(signal, "description");

	printf("%-3jd %-10s %-8s %-8s %-8s %s\n", (intmax_t)field_integer(signal, "number"),
	       field_text(signal, "name"), field_text(signal, "action"),
	       field_flag(signal, "blocked") ? "blocked" : "",
	       field_flag(signal, "pending") ? "pending" : "", description ? description : "");
}

static void put_file(const struct field *file)
{
	const char *target = field_text(file, "target");

	printf("%-4jd %s\n", (intmax_t)field_integer(file, "number"), target ? target : "?");
}

static void put_title(const struct field *title)
{
	style_print(stdout, STYLE_TITLE, "%s", field_text(title, "text"));
	putchar('\n');
}

static void put_command(const struct field *command)
{
	char left[64];

	snprintf(left, sizeof(left), "%s %s", field_text(command, "name"),
		 field_text(command, "arguments"));
	printf("  %-34s %s\n", left, field_text(command, "help"));
}

static void put_help(const struct field *help)
{
	const struct field *aliases = field_find(help, "aliases");
	const char *example = field_text(help, "example");

	style_print(stdout, STYLE_TITLE, "%s", field_text(help, "name"));
	printf("%s %s\n  %s\n", field_flag(help, "takes_format") ? "[/FMT]" : "",
	       field_text(help, "arguments"), field_text(help, "help"));
	if (aliases && aliases->first) {
		fputs("  other names:", stdout);
		for (const struct field *each = aliases->first; each; each = each->next)
			printf("%s %s", each == aliases->first ? "" : ",", each->text);
		putchar('\n');
	}
	if (example)
		printf("  example: %s\n", example);
}

static void put_history(const struct field *line)
{
	printf("%5" PRIu64 "  %s\n", field_count(line, "number"), field_text(line, "line"));
}

static void put_text(const struct field *candidate)
{
	puts(field_text(candidate, "text"));
}

static void put_setting(const struct field *setting)
{
	const struct field *value = field_find(setting, "value");
	char text[32];

	if (value && value->kind == FIELD_COUNT)
		snprintf(text, sizeof(text), "%" PRIu64, value->number);
	printf("%-20s %-14s %s\n", field_text(setting, "name"),
	       !value			   ? "-"
	       : value->kind == FIELD_TEXT ? value->text
					   : text,
	       field_text(setting, "help"));
}

static void put_alias(const struct field *alias)
{
	printf("%s = %s\n", field_text(alias, "name"), field_text(alias, "command"));
}

static void put_whatis(const struct field *whatis)
{
	printf("type = %s\n", field_text(whatis, "type"));
}

static void put_ptype(const struct field *ptype)
{
	const struct field *lines = field_find(ptype, "lines");

	fputs("type = ", stdout);
	for (const struct field *line = lines ? lines->first : NULL; line; line = line->next)
		puts(line->text);
}

const struct layout shell_layouts[] = {
	{ "output", put_output },
	{ "echo", put_echo },
	{ "display", put_display },
	{ "thread", put_thread },
	{ "chosen", put_chosen },
	{ "frame", put_frame },
	{ "variable", put_variable },
	{ "register", put_register },
	{ "memory", put_memory },
	{ "instruction", put_instruction },
	{ "found", put_found },
	{ "line", put_line },
	{ "source", put_source },
	{ "location", put_location },
	{ "symbol", put_symbol },
	{ "module", put_module },
	{ "mapping", put_mapping },
	{ "global", put_global },
	{ "type", put_name },
	{ "name", put_scope_name },
	{ "signal", put_signal },
	{ "file", put_file },
	{ "title", put_title },
	{ "command", put_command },
	{ "help", put_help },
	{ "history", put_history },
	{ "candidate", put_text },
	{ "setting", put_setting },
	{ "alias", put_alias },
	{ "whatis", put_whatis },
	{ "ptype", put_ptype },
	{ "each", put_each },
	{ "stop", put_stop },
	{ "exit", put_exit },
	{ "handling", put_handling },
	{ "environment", put_environment },
	{ "skip", put_skip },
	{ "call", put_call },
	{ "returned", put_returned },
	{ "core", put_core },
	{ "breakpoint", put_breakpoint },
	{ NULL, NULL },
};
