// SPDX-License-Identifier: MIT
// A program that makes processes, and checks how each ends.
//
//   forks          a word on stdin makes one: fork, vfork (and exec), spawn, system, popen, exec (by
//                  fork), self (spawns itself); answered by what it was and how it ended
//   forks WORD     makes that one, says so, and ends as it did
//   forks loop     makes them without end; a line on stdin is answered by how many, and how many
//                  ended wrong
//   forks child    what "self" becomes
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
volatile unsigned long rounds, faults;
volatile int answer = 41;

__attribute__((noinline)) int work(int n)
{
	answer = n;
	__asm__ volatile("" ::: "memory");
	return answer + 1;
}

__attribute__((noinline)) int born(int n)
{
	return work(n) - 35; // 7
}

static int ends(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int by_fork(void)
{
	volatile long kept[64];

	for (int i = 0; i < 64; i++)
		kept[i] = i;

	pid_t pid = fork();

	if (!pid) {
		int result = born(41);

		for (int i = 0; i < 64; i++)
			result += kept[i] != i;
		_exit(result);
	}
	return ends(pid);
}

static int by_vfork(bool shares)
{
	char *const words[] = { "sh", "-c", "exit 7", NULL };
	pid_t pid = shares ? vfork() : fork();

	if (!pid) {
		execv("/bin/sh", words);
		_exit(99);
	}
	return ends(pid);
}

static int by_spawn(const char *path, char *const words[])
{
	pid_t pid;

	return posix_spawn(&pid, path, NULL, NULL, words, environ) ? -1 : ends(pid);
}

static int by_popen(void)
{
	FILE *pipe = popen("exit 7", "r");

	return pipe ? WEXITSTATUS(pclose(pipe)) : -1;
}

static int make(const char *how)
{
	char *const words[] = { "sh", "-c", "exit 7", NULL };
	char *const self[] = { "forks", "child", NULL };

	if (!strcmp(how, "fork"))
		return by_fork();
	if (!strcmp(how, "vfork") || !strcmp(how, "exec"))
		return by_vfork(*how == 'v');
	if (!strcmp(how, "spawn"))
		return by_spawn("/bin/sh", words);
	if (!strcmp(how, "self"))
		return by_spawn("/proc/self/exe", self);
	if (!strcmp(how, "system"))
		return WEXITSTATUS(system("exit 7"));
	return !strcmp(how, "popen") ? by_popen() : -1;
}

static void *loop(void *arg)
{
	static const char *const ways[] = { "fork", "vfork", "fork", "spawn", "fork", "system" };

	for (;; rounds++) {
		if (make(ways[rounds % (sizeof(ways) / sizeof(*ways))]) != 7)
			faults++;
		usleep(1000); // many such programs share the machine
	}
	return arg;
}

int main(int argc, char *argv[])
{
	char line[64];
	pthread_t thread;
	bool loops = argc > 1 && !strcmp(argv[1], "loop");

	if (argc > 1 && !strcmp(argv[1], "child"))
		return born(41);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !loops) {
		int status = make(argv[1]);

		printf("%s %d\n", argv[1], status);
		return status;
	}
	if (loops && pthread_create(&thread, NULL, loop, NULL))
		return 1;
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (loops)
			printf("%lu %lu\n", rounds, faults);
		else
			printf("%s %d\n", line, make(line));
	}
	return 0;
}
