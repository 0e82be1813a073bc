// SPDX-License-Identifier: MIT
// A program that preloads an agent, forks and drops its child's rights, by libc's fork or past it. The
// child tries each way to write to its parent's mailbox, and prints what it got.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_NAME "/memfd:debugcall-agent"
enum { NOBODY = 65534 };

int add(int a, int b)
{
	return a + b;
}

static uint64_t find_mapping(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[512];
	uint64_t addr = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, FILE_NAME) && !addr)
			addr = strtoull(line, NULL, 16);
	if (file)
		fclose(file);
	return addr;
}

static int find_descriptor(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int found = -1;

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char path[64] = "";

		if (readlinkat(dirfd(dir), entry->d_name, path, sizeof(path) - 1) > 0 &&
		    !strncmp(path, FILE_NAME, strlen(FILE_NAME)))
			found = atoi(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void say(const char *what, int failed)
{
	printf("%s %s\n", what, failed ? strerrorname_np(errno) : "done");
}

static void try_open(const char *what, pid_t pid, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	say(what, open(path, O_RDWR) < 0);
}

static void try_all(pid_t parent, int fd, uint64_t addr)
{
	uint64_t word = 1;
	struct iovec here = { &word, sizeof(word) }, there = { (void *)addr, sizeof(word) };
	char path[64];

	printf("uid %d\n", getuid());
	printf("inherited %s\n", find_descriptor() < 0 ? "no" : "yes");
	// By the kernel, which says where we would crash.
	say("mapping", process_vm_writev(getpid(), &here, 1, &there, 1, 0) < 0);
	say("map", mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	try_open("own", getpid(), fd);
	try_open("parent's", parent, fd);
	say("memory", process_vm_writev(parent, &here, 1, &there, 1, 0) < 0);
	snprintf(path, sizeof(path), "/proc/%d/mem", parent);
	say("mem", open(path, O_RDWR) < 0);
	say("resize", ftruncate(fd, 0) < 0);
	say("lock", fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_len = 1 }) < 0);
	say("mode", fchmod(fd, 0666) < 0);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	const char *how = argc > 1 ? argv[1] : "fork";
	uint64_t addr = find_mapping();
	int fd = find_descriptor();
	pid_t parent = getpid();
	pid_t child = strcmp(how, "raw") != 0 ? fork() : (pid_t)syscall(SYS_fork);

	if (!child) {
		// Not through libc, which after such a fork waits for threads that are not there.
		if (syscall(SYS_setgroups, 0, NULL) < 0 ||
		    syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) < 0 ||
		    syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) < 0)
			return 1;
		try_all(parent, fd, addr);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
