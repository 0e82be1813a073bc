// SPDX-License-Identifier: MIT
// The floor under a call through a mailbox: two processes that wake each other by a futex in shared
// memory, without looking for the answer in between. Prints the median and the 99th percentile in ns.
//   futex_floor ROUNDS CPU CPU
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void turn(uint32_t *word, uint32_t to)
{
	__atomic_store_n(word, to, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void await(uint32_t *word, uint32_t wanted)
{
	uint32_t seen;

	while ((seen = __atomic_load_n(word, __ATOMIC_SEQ_CST)) != wanted)
		syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void stay_on(const char *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(strtoul(cpu, NULL, 10), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char *argv[])
{
	size_t n = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
	int64_t *times = calloc(n ?: 1, sizeof(*times));
	uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			      0);

	if (!times || word == MAP_FAILED || !n)
		return 1;
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stay_on(argv[3]);
		for (;;) {
			await(word, 1);
			turn(word, 0);
		}
	}
	stay_on(argv[2]);
	for (size_t i = 0; i < n; i++) {
		int64_t begun = now();

		turn(word, 1);
		await(word, 0);
		times[i] = now() - begun;
	}
	qsort(times, n, sizeof(*times), compare);
	printf("%jd %jd\n", (intmax_t)times[n / 2], (intmax_t)times[n * 99 / 100]);
	return 0;
}
