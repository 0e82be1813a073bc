// SPDX-License-Identifier: MIT
// GORTDEBUG=trace: what happened is written when the process ends, in order and with its thread; the newest is kept;
// without it nothing is written.
// valgrind: it takes no vector registers from what a handler changed, by which these calls are led
#include "tests/runtime/inject.h"
#include "tests/runtime/self.h"

static int add(int a, int b)
{
	return a + b;
}

static struct worker worker;
static struct injection injection;

static void *debugger(void *arg)
{
	(void)arg;
	while (!worker.tid)
		sched_yield();
	prepare_in(&injection, (void *)add);
	injection.general[0] = 1;
	injection.general[1] = 2;
	inject_into(&injection, (int)worker.tid);
	worker.stop = 1;
	return NULL;
}

static void call(void *arg)
{
	pthread_t thread;

	(void)arg;
	if (pthread_create(&thread, NULL, debugger, NULL))
		abort();
	spin(&worker);
	pthread_join(thread, NULL);
	printf("tid %u result %lu\n", worker.tid, injection.rax);
}

static void stops(void *arg)
{
	(void)arg;
	// The runtime's own threads may come and go at the end too.
	gort_gomaxprocs(3);
	for (int i = 0; i < 100; i++)
		gort_gomaxprocs(1 + i % 2);
}

static void dies(void *arg)
{
	(void)arg;
	gort_panic("the end");
}

// What the program wrote, in the mode and with the setting.
static char *run(const char *mode, const char *setting)
{
	static char text[1 << 20];
	char command[8192];
	size_t n;
	FILE *out;

	snprintf(command, sizeof(command), "GORTDEBUG=%s %s %s 2>&1", setting, self_path(), mode);
	fflush(stdout);
	out = popen(command, "r");
	if (!out)
		abort();
	n = fread(text, 1, sizeof(text) - 1, out);
	text[n] = '\0';
	pclose(out);
	return text;
}

static int lines(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static bool in_order(const char *text, const char *const *parts)
{
	for (; *parts; parts++) {
		text = strstr(text, *parts);
		if (!text)
			return false;
		text += strlen(*parts);
	}
	return true;
}

static void look(void)
{
	static const char *const conversation[] = {
		"debug call ENTERED at 0x", "debug call ACCEPTS", "debug call RETURNS",
		"debug call HEARD",	    "debug call HEARD",	  NULL
	};
	char *text = run("call", "trace");
	const char *of = strstr(text, "tid ");
	char thread[64];

	report(in_order(text, conversation), "a debug call's turns are told in order", "%s", text);
	snprintf(thread, sizeof(thread), "us thread %d: debug call ENTERED",
		 of ? atoi(of + 4) : -1);
	report(strstr(text, thread), "with the thread they were taken on", "%s: %s", thread, text);
	report(strstr(text, "result 3"), "and the call itself is as it was", "%s", text);

	text = run("stops", "trace=10");
	report(lines(text, "TRACE") > 0 && lines(text, "TRACE") <= 10,
	       "no more events are kept than were asked for", "%s", text);
	report(lines(text, "world starts: Ps 2") > 0 && lines(text, "world starts: Ps 3") == 0,
	       "the newest", "%s", text);

	text = run("dies", "trace");
	report(in_order(text,
			(const char *const[]){ "panic: the end", "TRACE", ": dies at 0x", NULL }),
	       "a process that dies writes its trace after the report", "%s", text);

	text = run("call", "trace=0");
	report(strstr(text, "result 3") && !strstr(text, "TRACE"),
	       "nothing is written where none was asked for", "%s", text);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "call")) {
		inject_init();
		return gort_main(call, NULL);
	}
	if (!strcmp(mode, "stops"))
		return gort_main(stops, NULL);
	if (!strcmp(mode, "dies"))
		return gort_main(dies, NULL);
#ifdef __SANITIZE_THREAD__
	printf("1..0 # SKIP TSan holds the signals back that lead these calls\n");
	return 0;
#endif
	look();
	printf("1..%d\n", count);
	return failures != 0;
}
