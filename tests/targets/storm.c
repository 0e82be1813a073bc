// SPDX-License-Identifier: MIT
// Sends one signal without end.
//   storm PID TID SIGNAL       to the thread; TID 0: to the process
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	pid_t pid = atoi(argv[1]), tid = atoi(argv[2]);
	int signo = atoi(argv[3]);

	while (!(tid ? (int)syscall(SYS_tgkill, pid, tid, signo) : kill(pid, signo)))
		;
	return 0;
}
