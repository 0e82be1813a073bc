// SPDX-License-Identifier: MIT
// The command line: one table of options for reading them and for --help.
#include "debugger/front/options.h"

#include "debugger/front/shell/signals.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

// letter (0: none), long name, argument's name (NULL: none), help; ONLY has the one command before
// them that takes the option.
#define OPTIONS(X, ONLY)                                                                          \
	X(PID, 'p', "pid", "PID|TID|NAME", "the process, one of its threads, or its name")        \
	X(THREAD, 0, "thread", "TID", "borrow this thread; else one is chosen")                   \
	X(HOST, 0, "host", "bare|gort|agent|go",                                                  \
	  "who runs calls; else the program's own host if it has one")                            \
	X(GOROUTINE, 0, "goroutine", "ID", "the goroutine that calls begin on; else any")         \
	X(GOROUTINES, 0, "goroutines", NULL, "the command goroutines")                            \
	X(FRAME, 0, "frame", "N|FUNC", "whose locals are meant: the N-th frame, or FUNC's")       \
	ONLY("evaluate", REPEAT, 0, "repeat", "N", "the same call N times; prints the rate")      \
	ONLY("evaluate", FINALLY, 0, "finally", "EXPR",                                           \
	     "evaluate EXPR at the end, also after a failure")                                    \
	ONLY("evaluate", AT, 0, "at", "PLACE",                                                    \
	     "evaluate where a thread comes by FUNCTION, FILE:LINE or *ADDRESS")                  \
	ONLY("evaluate", IF, 0, "if", "COND", "--at: only where COND is true")                    \
	ONLY("evaluate", COUNT, 0, "count", "N", "--at: so many times (1; 0 = without end)")      \
	ONLY("evaluate", EACH_THREAD, 0, "each-thread", NULL,                                     \
	     "in every thread, one after the other")                                              \
	ONLY("evaluate", EACH_GOROUTINE, 0, "each-goroutine", NULL, "in every goroutine")         \
	ONLY("evaluate", EACH_PROCESS, 0, "each-process", NULL,                                   \
	     "in all processes of the name, or all children of PID")                              \
	X(TIMEOUT, 0, "timeout", "DUR", "the deadline of each call (5s; 0 = none)")               \
	X(WAIT, 0, "wait", "DUR",                                                                 \
	  "how long to look for a safe point (1s); --at: for a thread (for ever)")                \
	X(NO_CALL, 0, "no-call", NULL, "refuse expressions that call")                            \
	X(NO_PATCH, 0, "no-patch", NULL, "refuse breakpoints that must be patched into the code") \
	X(ALL_STOP, 0, "all-stop", NULL, "stop every thread from attach to detach")               \
	X(SIGNALS, 0, "signals", "hold|pass", "signals that come during a call (hold)")           \
	X(PASS, 0, "pass", "SIG", "a fault that the program handles itself, such as SEGV")        \
	X(FORCE, 0, "force", NULL, "borrow a thread that is not at a safe point")                 \
	X(DROP_LITERALS, 0, "drop-literals", NULL, "unmap string literals at the end")            \
	X(ASSUME_SECCOMP, 0, "assume-seccomp-ok", NULL, "trust a seccomp filter that is hidden")  \
	ONLY("stacks", UNGROUPED, 0, "ungrouped", NULL, "each thread's by itself")                \
	ONLY("stacks", FOLDED, 0, "folded", NULL, "one line each, for flame graphs")              \
	ONLY("stacks", STOP, 0, "stop", NULL, "stop threads where only that tells them")          \
	X(EX, 0, "ex", "CMD", "run a command of the shell; -ex does, too")                        \
	X(SCRIPT, 'x', "script", "FILE", "run the commands of a file; - is standard input")       \
	X(BATCH, 0, "batch", NULL, "leave after -x and -ex")                                      \
	X(KEEP_GOING, 0, "keep-going", NULL, "scripts go on after a line that fails")             \
	X(NO_INIT, 0, "no-init", NULL, "read no init file; -nx does not, either")                 \
	X(COLOR, 0, "color", "WHEN", "auto, always or never: of names and numbers (auto)")        \
	X(TRACE, 0, "trace", "AREAS", "write what happens: target, inject, symbols or all")       \
	X(JSON, 0, "json", NULL, "one JSON object a line")                                        \
	X(RAW, 0, "raw", NULL, "members of C++'s library, not what they mean")                    \
	X(QUIET, 'q', "quiet", NULL, "no notes; of an error only its first line")                 \
	X(COMPLETION, 0, "completion", "bash|zsh", "print what that shell completes by")          \
	X(VERSION, 'V', "version", NULL, "print the version")                                     \
	X(HELP, 'h', "help", NULL, "print this")

enum option_id {
	OPTION_FIRST = 256, // above every letter
#define X(id, letter, name, arg, help)		OPTION_##id,
#define ONLY(only, id, letter, name, arg, help) OPTION_##id,
	OPTIONS(X, ONLY)
#undef X
#undef ONLY
};

static const struct {
	char letter;
	const char *name, *arg, *help;
	int id;
	const char *only; // the name of the command that takes it; NULL: all do
} rows[] = {
#define X(id, letter, name, arg, help)		{ letter, name, arg, help, OPTION_##id, NULL },
#define ONLY(only, id, letter, name, arg, help) { letter, name, arg, help, OPTION_##id, only },
	OPTIONS(X, ONLY)
#undef X
#undef ONLY
};
enum { NR_ROWS = sizeof(rows) / sizeof(*rows) };

bool options_text(size_t i, struct option_text *ret)
{
	if (i >= NR_ROWS)
		return false;
	*ret = (struct option_text){ rows[i].name, rows[i].arg, rows[i].help };
	return true;
}

static void help_row(const char *left, const char *help)
{
	printf("  %-26s  %s\n", left, help);
}

static void help_command(const struct command *command)
{
	char left[64];

	snprintf(left, sizeof(left), "%s %s", command->name, command->arguments);
	help_row(left, command->help);
}

void options_help(void)
{
	const struct command *command;

	fputs("usage: debugcall [options] -p PID EXPR...\n"
	      "       debugcall COMMAND [options] -p PID [WORD...]\n"
	      "       debugcall [options] -p PID    (a shell; help lists its commands)\n"
	      "       debugcall [options] -- PROGRAM [ARGUMENT...]    (likewise; it is launched)\n"
	      "       debugcall trust FILE    (an init file of a project, as it is now)\n"
	      "       debugcall dap [--listen ADDRESS] [--log FILE]   (for editors)\n"
	      "\n"
	      "Calls functions in a running process and leaves it exactly as it was.\n"
	      "Expressions are C over the program's own names: debugcall -p 1234 'add(1, 2)'.\n"
	      "\n"
	      "Commands:\n",
	      stdout);
	for (size_t i = 0; (command = command_at(i)); i++) {
		if (command->on_command_line)
			help_command(command);
	}
	puts("\nOptions:");
	for (size_t i = 0; i < NR_ROWS; i++) {
		// What evaluates is what a line without a command does.
		bool named = rows[i].only && strcmp(rows[i].only, command_at(0)->name) != 0;
		char left[64], right[128];

		snprintf(left, sizeof(left), "%c%c%s --%s %s", rows[i].letter ? '-' : ' ',
			 rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? "," : " ",
			 rows[i].name, rows[i].arg ? rows[i].arg : "");
		snprintf(right, sizeof(right), "%s%s%s", named ? rows[i].only : "",
			 named ? ": " : "", rows[i].help);
		help_row(left, right);
	}
	fputs("\n"
	      "A command stands before -p; options end at the first EXPR or at \"--\". DUR is a "
	      "number with\n"
	      "ns, us, ms, s, m or h. Results are $1 $2 ... in later expressions. The first "
	      "failure ends the list.\n"
	      "\n"
	      "Exit status: 0 all good; 1 an expression failed; 2 usage; 3 cannot attach; 4 the "
	      "target\n"
	      "ended or became another program; 5 deadline; 6 refused; 130 interrupted.\n",
	      stdout);
}

bool options_duration(const char *text, int64_t *ret)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "ns", 1 },  { "us", 1e3 }, { "ms", 1e6 },
		      { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 } };
	char *stop;

	if (*text < '0' || *text > '9')
		return false;
	double number = strtod(text, &stop);
	const char *unit = *stop ? stop : "s";

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(unit, units[i].unit))
			continue;
		double ns = number * units[i].ns;
		// A year is more than anybody means, and far from overflow.
		if (!(ns <= 366.0 * 24 * 3600e9))
			return false;
		*ret = (int64_t)ns;
		// A length that rounds to nothing must not become "none".
		if (number > 0 && *ret == 0)
			*ret = 1;
		return true;
	}
	return false;
}

static bool parse_count(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;

	errno = 0;
	if (*text < '0' || *text > '9')
		return false;
	unsigned long long number = strtoull(text, &end, 10);
	if (*end || errno || number == 0 || number > max)
		return false;
	*ret = number;
	return true;
}

static bool parse_host(const char *text, enum dc_host *ret)
{
	const char *name;

	for (int host = DC_HOST_AUTO + 1; (name = dc_host_name((enum dc_host)host)); host++) {
		if (strcmp(text, name) != 0)
			continue;
		*ret = (enum dc_host)host;
		return true;
	}
	return false;
}

// "bare or gort"; good until the next call.
static const char *host_words(void)
{
	static char words[64];
	const char *name;
	size_t n = 0;

	*words = '\0';
	for (int host = DC_HOST_AUTO + 1;
	     n < sizeof(words) && (name = dc_host_name((enum dc_host)host)); host++)
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? " or " : "", name);
	return words;
}

static bool parse_colour(const char *text, struct options *options)
{
	static const char *const words[] = { "auto", "always", "never" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		options->colour = i;
		return true;
	}
	return false;
}

#define COMPLAIN(...)                                  \
	do {                                           \
		snprintf(complaint, 256, __VA_ARGS__); \
		return false;                          \
	} while (0)

static bool take(struct options *options, int id, const char *arg, char complaint[256])
{
	// More calls than this cannot be remembered one by one for the percentiles.
	static const uint64_t max_repeat = 100 * 1000 * 1000;
	uint64_t number;
	int signo;

	switch (id) {
	case OPTION_PID: options->who = arg; break;
	case OPTION_THREAD:
		if (!parse_count(arg, 1 << 30, &number))
			COMPLAIN("--thread wants a thread id, not '%.100s'", arg);
		options->words.scope.thread = (pid_t)number;
		break;
	case OPTION_GOROUTINE:
		if (!parse_count(arg, UINT64_MAX, &options->words.scope.goroutine))
			COMPLAIN("--goroutine wants the id of a goroutine, not '%.100s'", arg);
		break;
	case OPTION_GOROUTINES: options->command = command_find("goroutines"); break;
	case OPTION_HOST:
		if (!parse_host(arg, &options->words.call.host))
			COMPLAIN("--host wants %s, not '%.100s'", host_words(), arg);
		break;
	case OPTION_FRAME: options->words.scope.frame = arg; break;
	case OPTION_REPEAT:
		if (!parse_count(arg, max_repeat, &options->words.repeat))
			COMPLAIN("--repeat wants a number from 1 to %ju, not '%.100s'",
				 (uintmax_t)max_repeat, arg);
		break;
	case OPTION_FINALLY: options->words.finally = arg; break;
	case OPTION_AT: options->words.at.place = arg; break;
	case OPTION_IF: options->words.at.condition = arg; break;
	case OPTION_COUNT:
		options->words.at.count = 0;
		if (strcmp(arg, "0") != 0 &&
		    !parse_count(arg, UINT64_MAX, &options->words.at.count))
			COMPLAIN("--count wants a number, not '%.100s'", arg);
		break;
	case OPTION_TIMEOUT:
		if (!options_duration(arg, &options->words.call.timeout_ns))
			COMPLAIN("--timeout wants a duration such as 5s or 200ms, not '%.100s'",
				 arg);
		break;
	case OPTION_WAIT:
		options->words.at.wait_ns = -1;
		if (!options_duration(arg, &options->words.call.wait_ns))
			COMPLAIN("--wait wants a duration such as 1s or 200ms, not '%.100s'", arg);
		break;
	case OPTION_NO_CALL: options->words.call.no_call = true; break;
	case OPTION_ALL_STOP: options->words.call.all_stop = true; break;
	case OPTION_SIGNALS:
		if (!strcmp(arg, "hold"))
			options->words.call.signals = DC_SIGNALS_HOLD;
		else if (!strcmp(arg, "pass"))
			options->words.call.signals = DC_SIGNALS_PASS;
		else
			COMPLAIN("--signals wants hold or pass, not '%.100s'", arg);
		break;
	case OPTION_PASS:
		signo = signal_number(arg);
		if (!signo)
			COMPLAIN("--pass wants a signal such as SEGV, not '%.100s'", arg);
		options->words.call.pass_signals |= 1ULL << (signo - 1);
		break;
	case OPTION_FORCE: options->words.call.force = true; break;
	case OPTION_DROP_LITERALS: options->words.call.drop_literals = true; break;
	case OPTION_ASSUME_SECCOMP: options->words.call.assume_seccomp_ok = true; break;
	case OPTION_UNGROUPED: options->words.ungrouped = true; break;
	case OPTION_STOP: options->words.stop = true; break;
	case OPTION_NO_PATCH: options->words.no_patch = true; break;
	case OPTION_FOLDED: options->words.folded = true; break;
	case OPTION_EX:
	case OPTION_SCRIPT:
		options->scripts[options->nr_scripts++] = (struct script){
			.is_file = id == OPTION_SCRIPT, .text = arg
		};
		break;
	case OPTION_BATCH: options->batch = true; break;
	case OPTION_KEEP_GOING: options->keeps_going = true; break;
	case OPTION_NO_INIT: options->no_init = true; break;
	case OPTION_COLOR:
		if (!parse_colour(arg, options))
			COMPLAIN("--color wants auto, always or never, not '%.100s'", arg);
		break;
	case OPTION_TRACE: options->session.trace = arg; break;
	case OPTION_JSON: options->json = true; break;
	case OPTION_QUIET: options->quiet = true; break;
	case OPTION_EACH_THREAD: options->words.each = EACH_THREAD; break;
	case OPTION_EACH_GOROUTINE: options->words.each = EACH_GOROUTINE; break;
	case OPTION_EACH_PROCESS: options->words.each = EACH_PROCESS; break;
	case OPTION_COMPLETION:
		if (strcmp(arg, "bash") != 0 && strcmp(arg, "zsh") != 0)
			COMPLAIN("--completion wants bash or zsh, not '%.100s'", arg);
		options->completion = arg;
		options->what = OPTIONS_COMPLETION;
		break;
	case OPTION_RAW: options->raw = true; break;
	case OPTION_VERSION: options->what = OPTIONS_VERSION; break;
	case OPTION_HELP: options->what = OPTIONS_HELP; break;
	}
	return true;
}

// What --wait says is the wait for a thread to come by; places are looked for as ever.
static bool take_at(struct options *options, char complaint[256])
{
	struct words *words = &options->words;
	struct dc_call_options usual;

	if (!words->at.place) {
		if (words->at.condition || words->at.count != 1)
			COMPLAIN("--%s goes with --at", words->at.condition ? "if" : "count");
		return true;
	}
	if (words->scope.frame || words->scope.goroutine || words->repeat || words->finally)
		COMPLAIN("--at goes without --frame, --goroutine, --repeat and --finally");
	words->at.thread = words->scope.thread;
	if (words->at.wait_ns) {
		dc_call_options_init(&usual);
		words->at.wait_ns = words->call.wait_ns;
		words->call.wait_ns = usual.wait_ns;
	}
	return true;
}

static bool is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

// The words that are no options are the command's. launches: they stood behind "--".
static bool take_rest(struct options *options, const bool given[NR_ROWS], bool launches, size_t n,
		      char complaint[256])
{
	const struct words *words = &options->words;
	const char *const *rest = options->operands;

	// "-- PROGRAM ARGUMENT..." without a process is a process to be.
	if (launches && n && !options->who && !options->command) {
		options->program = rest;
		n = 0;
	}

	bool scripted = options->nr_scripts || options->batch;

	if (scripted && (options->command || n))
		COMPLAIN("-ex, -x and --batch are of the shell, which takes no words: '%.100s'",
			 n ? rest[0] : options->command->name);
	if (!options->command && !n && (options->who || options->program || options->nr_scripts)) {
		options->what = OPTIONS_SHELL;
		for (size_t i = 0; i < NR_ROWS; i++) {
			// What asks for an expression misses it.
			if (given[i] && rows[i].only)
				options->what = OPTIONS_RUN;
		}
	}
	if (!options->command)
		options->command = command_at(0);
	// "check PID": a command that is told of no process, and of nothing but a number.
	if (!options->who && n == 1 && options->command != command_at(0) && is_number(rest[0])) {
		options->who = rest[0];
		n = 0;
	}
	if (!options->who && options->what != OPTIONS_SHELL && n && is_number(rest[0]))
		COMPLAIN("which process? -p PID is missing: debugcall -p %.20s EXPR...", rest[0]);
	if (!options->who && options->what != OPTIONS_SHELL)
		COMPLAIN("which process? -p PID is missing");
	for (size_t i = 0; i < NR_ROWS; i++) {
		if (given[i] && rows[i].only && strcmp(rows[i].only, options->command->name) != 0)
			COMPLAIN("%s takes no --%s", options->command->name, rows[i].name);
	}
	if (options->words.scope.goroutine && options->words.scope.thread)
		COMPLAIN("--goroutine and --thread: a goroutine runs on the thread that it is on");
	if (!take_at(options, complaint))
		return false;
	if (words->each && (words->at.place || words->scope.thread || words->scope.goroutine))
		COMPLAIN("--each-… goes without --at, --thread and --goroutine");
	options->words.operands = rest;
	options->words.nr = n;
	return options->what == OPTIONS_SHELL ||
	       command_accepts(options->command, words, complaint);
}

// What getopt_long() found, as an option's id; 0: it is wrong.
static int option_found(int id, char *const argv[], char complaint[256])
{
	static const char behind[] = "; an expression that begins with a minus stands behind --";
	const char *word = argv[optind - 1];

	if (id == ':') {
		snprintf(complaint, 256, "'%.100s' wants an argument", word);
		return 0;
	}
	if (id == '?') {
		// A long option that exists was given an argument it does not take.
		if (optopt && optopt < OPTION_FIRST)
			snprintf(complaint, 256, "unknown option '-%c'%s", optopt, behind);
		else if (optopt)
			snprintf(complaint, 256, "'%.100s' takes no argument", word);
		else
			snprintf(complaint, 256, "unknown option '%.100s'%s", word, behind);
		return 0;
	}
	for (size_t i = 0; i < NR_ROWS; i++) {
		if (rows[i].letter && rows[i].letter == id)
			return rows[i].id;
	}
	return id;
}

// gdb's options of one letter's minus, which getopt_long() takes apart.
static void spell_out(char **word)
{
	static char ex[] = "--ex", no_init[] = "--no-init", batch[] = "--batch", pid[] = "--pid";

	if (*word && !strcmp(*word, "-ex"))
		*word = ex;
	else if (*word && !strcmp(*word, "-nx"))
		*word = no_init;
	else if (*word && !strcmp(*word, "-batch"))
		*word = batch;
	else if (*word && !strcmp(*word, "-pid"))
		*word = pid;
}

// "-1 + 2" is no option: none begins with a digit.
static bool is_negative(const char *word)
{
	return word && word[0] == '-' && word[1] && strchr("0123456789.( $&*~!", word[1]);
}

// An option behind the expressions, in full: what C would make of it, a variable of that name with
// one less or its sign changed, is not meant.
static bool is_late_option(const struct options *options, char *word)
{
	size_t length;

	spell_out(&word);
	if (!strcmp(word, "-p"))
		return !options->who;
	if (strncmp(word, "--", 2) != 0)
		return false;
	if (!word[2])
		return true;
	length = strcspn(word + 2, "=");
	for (size_t i = 0; i < NR_ROWS; i++) {
		if (strlen(rows[i].name) == length && !strncmp(word + 2, rows[i].name, length))
			return true;
	}
	return false;
}

void options_deinit(struct options *options)
{
	free(options->scripts);
	free(options->operands);
	options->scripts = NULL;
	options->operands = NULL;
}

bool options_parse(int argc, char *argv[], struct options *ret, char complaint[256])
{
	struct option longs[NR_ROWS + 1] = { 0 };
	char later[256];
	bool good = true, launches = false, given[NR_ROWS] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < NR_ROWS; i++)
		longs[i] = (struct option){ rows[i].name,
					    rows[i].arg ? required_argument : no_argument, NULL,
					    rows[i].id };
	*ret = (struct options){ .what = OPTIONS_RUN,
				 .scripts = calloc((size_t)argc + 1, sizeof(*ret->scripts)),
				 .operands = calloc((size_t)argc + 1, sizeof(*ret->operands)) };
	if (!ret->scripts || !ret->operands) {
		snprintf(complaint, 256, "out of memory");
		return false;
	}
	dc_options_init(&ret->session);
	dc_call_options_init(&ret->words.call);
	ret->words.at.count = 1;
	opterr = 0;
	optind = 1;
	for (;;) {
		int at = optind;
		// '+': options end at the first expression, which may itself begin with a minus
		// after "--". ':': a missing argument is told from an unknown option.
		spell_out(&argv[optind]);

		int id = is_negative(argv[optind])
				 ? -1
				 : getopt_long(argc, argv, "+:p:qx:Vh", longs, NULL);

		if (id == -1) {
			bool ended = optind > at && !strcmp(argv[optind - 1], "--");

			launches |= ended && !n;
			// Commands are commands only before -p; after it they are names.
			if (optind < argc && !ended && !ret->who && !ret->command && !n) {
				ret->command = command_find(argv[optind]);
				if (ret->command) {
					optind++;
					continue;
				}
			}
			// They gather at the front of what has been read.
			while (optind < argc && (ended || !n || !is_late_option(ret, argv[optind])))
				ret->operands[n++] = argv[optind++];
			if (optind >= argc)
				break;
			continue;
		}
		// The first complaint counts; what comes after it may be --json, which it obeys.
		char *text = good ? complaint : later;
		id = option_found(id, argv, text);
		if (!id || !take(ret, id, optarg, text))
			good = false;
		else
			given[id - OPTION_FIRST - 1] = true;
		if (good && ret->what != OPTIONS_RUN)
			return true;
	}
	return good && take_rest(ret, given, launches, n, complaint);
}
