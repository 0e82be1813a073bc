// SPDX-License-Identifier: MIT
// The C library's prototypes as C text, read by the parser of type names when one is asked for.
// Structs that debug information may not describe are void; structs by value are left out.
#include "debugger/lang/c/prototypes.h"

#include "debugger/base/cleanup.h"

#include <string.h>

// clang-format off
#define PROTOTYPES(X) \
	/* memory */ \
	X(malloc, "void *(unsigned long)") \
	X(calloc, "void *(unsigned long, unsigned long)") \
	X(realloc, "void *(void *, unsigned long)") \
	X(reallocarray, "void *(void *, unsigned long, unsigned long)") \
	X(free, "void (void *)") \
	X(memalign, "void *(unsigned long, unsigned long)") \
	X(aligned_alloc, "void *(unsigned long, unsigned long)") \
	X(posix_memalign, "int (void **, unsigned long, unsigned long)") \
	X(malloc_trim, "int (unsigned long)") \
	X(malloc_stats, "void (void)") \
	X(malloc_info, "int (int, void *)") \
	X(malloc_usable_size, "unsigned long (void *)") \
	X(mallopt, "int (int, int)") \
	X(mmap, "void *(void *, unsigned long, int, int, int, long)") \
	X(munmap, "int (void *, unsigned long)") \
	X(mprotect, "int (void *, unsigned long, int)") \
	X(madvise, "int (void *, unsigned long, int)") \
	X(msync, "int (void *, unsigned long, int)") \
	X(mlock, "int (const void *, unsigned long)") \
	X(munlock, "int (const void *, unsigned long)") \
	X(mlockall, "int (int)") \
	X(munlockall, "int (void)") \
	X(brk, "int (void *)") \
	X(sbrk, "void *(long)") \
	X(mremap, "void *(void *, unsigned long, unsigned long, int, ...)") \
	X(mincore, "int (void *, unsigned long, unsigned char *)") \
	X(valloc, "void *(unsigned long)") \
	/* strings */ \
	X(memcpy, "void *(void *, const void *, unsigned long)") \
	X(memmove, "void *(void *, const void *, unsigned long)") \
	X(memset, "void *(void *, int, unsigned long)") \
	X(memcmp, "int (const void *, const void *, unsigned long)") \
	X(memchr, "void *(const void *, int, unsigned long)") \
	X(memrchr, "void *(const void *, int, unsigned long)") \
	X(memmem, "void *(const void *, unsigned long, const void *, unsigned long)") \
	X(strlen, "unsigned long (const char *)") \
	X(strnlen, "unsigned long (const char *, unsigned long)") \
	X(strcpy, "char *(char *, const char *)") \
	X(strncpy, "char *(char *, const char *, unsigned long)") \
	X(stpcpy, "char *(char *, const char *)") \
	X(strcat, "char *(char *, const char *)") \
	X(strncat, "char *(char *, const char *, unsigned long)") \
	X(strcmp, "int (const char *, const char *)") \
	X(strncmp, "int (const char *, const char *, unsigned long)") \
	X(strcasecmp, "int (const char *, const char *)") \
	X(strncasecmp, "int (const char *, const char *, unsigned long)") \
	X(strcoll, "int (const char *, const char *)") \
	X(strchr, "char *(const char *, int)") \
	X(strrchr, "char *(const char *, int)") \
	X(strchrnul, "char *(const char *, int)") \
	X(strstr, "char *(const char *, const char *)") \
	X(strcasestr, "char *(const char *, const char *)") \
	X(strspn, "unsigned long (const char *, const char *)") \
	X(strcspn, "unsigned long (const char *, const char *)") \
	X(strpbrk, "char *(const char *, const char *)") \
	X(strtok, "char *(char *, const char *)") \
	X(strtok_r, "char *(char *, const char *, char **)") \
	X(strdup, "char *(const char *)") \
	X(strndup, "char *(const char *, unsigned long)") \
	X(strerror, "char *(int)") \
	X(strsignal, "char *(int)") \
	X(wcslen, "unsigned long (const int *)") \
	X(strlcpy, "unsigned long (char *, const char *, unsigned long)") \
	X(strlcat, "unsigned long (char *, const char *, unsigned long)") \
	X(strsep, "char *(char **, const char *)") \
	X(strverscmp, "int (const char *, const char *)") \
	X(mempcpy, "void *(void *, const void *, unsigned long)") \
	X(bcmp, "int (const void *, const void *, unsigned long)") \
	X(bzero, "void (void *, unsigned long)") \
	X(explicit_bzero, "void (void *, unsigned long)") \
	X(ffs, "int (int)") \
	X(strerrorname_np, "const char *(int)") \
	X(sigabbrev_np, "const char *(int)") \
	X(basename, "char *(char *)") \
	X(dirname, "char *(char *)") \
	X(fnmatch, "int (const char *, const char *, int)") \
	/* conversion */ \
	X(atoi, "int (const char *)") \
	X(atol, "long (const char *)") \
	X(atoll, "long long (const char *)") \
	X(atof, "double (const char *)") \
	X(strtol, "long (const char *, char **, int)") \
	X(strtoll, "long long (const char *, char **, int)") \
	X(strtoul, "unsigned long (const char *, char **, int)") \
	X(strtoull, "unsigned long long (const char *, char **, int)") \
	X(strtof, "float (const char *, char **)") \
	X(strtod, "double (const char *, char **)") \
	X(strtold, "long double (const char *, char **)") \
	X(abs, "int (int)") \
	X(labs, "long (long)") \
	X(llabs, "long long (long long)") \
	X(rand, "int (void)") \
	X(srand, "void (unsigned)") \
	X(random, "long (void)") \
	X(srandom, "void (unsigned)") \
	X(getentropy, "int (void *, unsigned long)") \
	X(bsearch, "void *(const void *, const void *, unsigned long, unsigned long, int (*)(const void *, const void *))") \
	X(isprint, "int (int)") \
	X(ispunct, "int (int)") \
	X(isxdigit, "int (int)") \
	X(iscntrl, "int (int)") \
	X(isgraph, "int (int)") \
	X(isblank, "int (int)") \
	X(getrandom, "long (void *, unsigned long, unsigned)") \
	X(qsort, "void (void *, unsigned long, unsigned long, int (*)(const void *, const void *))") \
	X(isalpha, "int (int)") \
	X(isdigit, "int (int)") \
	X(isalnum, "int (int)") \
	X(isspace, "int (int)") \
	X(isupper, "int (int)") \
	X(islower, "int (int)") \
	X(toupper, "int (int)") \
	X(tolower, "int (int)") \
	/* stdio */ \
	X(printf, "int (const char *, ...)") \
	X(fprintf, "int (void *, const char *, ...)") \
	X(dprintf, "int (int, const char *, ...)") \
	X(sprintf, "int (char *, const char *, ...)") \
	X(snprintf, "int (char *, unsigned long, const char *, ...)") \
	X(asprintf, "int (char **, const char *, ...)") \
	X(scanf, "int (const char *, ...)") \
	X(sscanf, "int (const char *, const char *, ...)") \
	X(fscanf, "int (void *, const char *, ...)") \
	X(puts, "int (const char *)") \
	X(putchar, "int (int)") \
	X(putc, "int (int, void *)") \
	X(fputc, "int (int, void *)") \
	X(fputs, "int (const char *, void *)") \
	X(fgets, "char *(char *, int, void *)") \
	X(fgetc, "int (void *)") \
	X(getc, "int (void *)") \
	X(getchar, "int (void)") \
	X(fopen, "void *(const char *, const char *)") \
	X(fdopen, "void *(int, const char *)") \
	X(freopen, "void *(const char *, const char *, void *)") \
	X(fclose, "int (void *)") \
	X(fflush, "int (void *)") \
	X(fread, "unsigned long (void *, unsigned long, unsigned long, void *)") \
	X(fwrite, "unsigned long (const void *, unsigned long, unsigned long, void *)") \
	X(fseek, "int (void *, long, int)") \
	X(ftell, "long (void *)") \
	X(rewind, "void (void *)") \
	X(feof, "int (void *)") \
	X(ferror, "int (void *)") \
	X(clearerr, "void (void *)") \
	X(fileno, "int (void *)") \
	X(setvbuf, "int (void *, char *, int, unsigned long)") \
	X(setbuf, "void (void *, char *)") \
	X(setlinebuf, "void (void *)") \
	X(popen, "void *(const char *, const char *)") \
	X(pclose, "int (void *)") \
	X(perror, "void (const char *)") \
	X(remove, "int (const char *)") \
	X(rename, "int (const char *, const char *)") \
	X(ungetc, "int (int, void *)") \
	X(getline, "long (char **, unsigned long *, void *)") \
	X(fseeko, "int (void *, long, int)") \
	X(ftello, "long (void *)") \
	X(fmemopen, "void *(void *, unsigned long, const char *)") \
	X(open_memstream, "void *(char **, unsigned long *)") \
	X(tmpfile, "void *(void)") \
	X(fcloseall, "int (void)") \
	/* environment, program */ \
	X(getenv, "char *(const char *)") \
	X(secure_getenv, "char *(const char *)") \
	X(setenv, "int (const char *, const char *, int)") \
	X(unsetenv, "int (const char *)") \
	X(putenv, "int (char *)") \
	X(clearenv, "int (void)") \
	X(system, "int (const char *)") \
	X(exit, "void (int)") \
	X(_exit, "void (int)") \
	X(abort, "void (void)") \
	X(atexit, "int (void (*)(void))") \
	X(setlocale, "char *(int, const char *)") \
	X(__errno_location, "int *(void)") \
	X(backtrace, "int (void **, int)") \
	X(backtrace_symbols_fd, "void (void *const *, int, int)") \
	X(openlog, "void (const char *, int, int)") \
	X(syslog, "void (int, const char *, ...)") \
	X(closelog, "void (void)") \
	X(dlopen, "void *(const char *, int)") \
	X(dlsym, "void *(void *, const char *)") \
	X(dlclose, "int (void *)") \
	X(dlerror, "char *(void)") \
	X(dlmopen, "void *(long, const char *, int)") \
	X(dlvsym, "void *(void *, const char *, const char *)") \
	X(dladdr, "int (const void *, void *)") \
	X(dlinfo, "int (void *, int, void *)") \
	X(dl_iterate_phdr, "int (int (*)(void *, unsigned long, void *), void *)") \
	X(localeconv, "void *(void)") \
	X(backtrace_symbols, "char **(void *const *, int)") \
	X(setlogmask, "int (int)") \
	X(getopt, "int (int, char *const *, const char *)") \
	X(mtrace, "void (void)") \
	X(muntrace, "void (void)") \
	/* processes, threads, signals */ \
	X(getpid, "int (void)") \
	X(getppid, "int (void)") \
	X(gettid, "int (void)") \
	X(getpgid, "int (int)") \
	X(getpgrp, "int (void)") \
	X(setpgid, "int (int, int)") \
	X(getsid, "int (int)") \
	X(setsid, "int (void)") \
	X(getuid, "unsigned (void)") \
	X(geteuid, "unsigned (void)") \
	X(getgid, "unsigned (void)") \
	X(getegid, "unsigned (void)") \
	X(setuid, "int (unsigned)") \
	X(setgid, "int (unsigned)") \
	X(fork, "int (void)") \
	X(waitpid, "int (int, int *, int)") \
	X(kill, "int (int, int)") \
	X(tgkill, "int (int, int, int)") \
	X(raise, "int (int)") \
	X(signal, "void (*(int, void (*)(int)))(int)") \
	X(alarm, "unsigned (unsigned)") \
	X(pause, "int (void)") \
	X(nice, "int (int)") \
	X(getpriority, "int (int, unsigned)") \
	X(setpriority, "int (int, unsigned, int)") \
	X(sched_yield, "int (void)") \
	X(sched_getcpu, "int (void)") \
	X(prctl, "int (int, ...)") \
	X(syscall, "long (long, ...)") \
	X(pthread_self, "unsigned long (void)") \
	X(pthread_kill, "int (unsigned long, int)") \
	X(pthread_mutex_lock, "int (void *)") \
	X(pthread_mutex_trylock, "int (void *)") \
	X(pthread_mutex_unlock, "int (void *)") \
	X(pthread_setname_np, "int (unsigned long, const char *)") \
	X(pthread_getname_np, "int (unsigned long, char *, unsigned long)") \
	X(getrlimit, "int (int, void *)") \
	X(setrlimit, "int (int, const void *)") \
	X(getrusage, "int (int, void *)") \
	X(prlimit, "int (int, int, const void *, void *)") \
	X(execve, "int (const char *, char *const *, char *const *)") \
	X(execv, "int (const char *, char *const *)") \
	X(execvp, "int (const char *, char *const *)") \
	X(wait, "int (int *)") \
	X(wait4, "int (int, int *, int, void *)") \
	X(waitid, "int (int, unsigned, void *, int)") \
	X(killpg, "int (int, int)") \
	X(sigaction, "int (int, const void *, void *)") \
	X(sigprocmask, "int (int, const void *, void *)") \
	X(pthread_sigmask, "int (int, const void *, void *)") \
	X(sigemptyset, "int (void *)") \
	X(sigfillset, "int (void *)") \
	X(sigaddset, "int (void *, int)") \
	X(sigdelset, "int (void *, int)") \
	X(sigismember, "int (const void *, int)") \
	X(sigpending, "int (void *)") \
	X(sigaltstack, "int (const void *, void *)") \
	X(sigqueue, "int (int, int, void *)") \
	X(siginterrupt, "int (int, int)") \
	X(signalfd, "int (int, const void *, int)") \
	X(setitimer, "int (int, const void *, void *)") \
	X(getitimer, "int (int, void *)") \
	X(ualarm, "unsigned (unsigned, unsigned)") \
	X(setns, "int (int, int)") \
	X(unshare, "int (int)") \
	X(chroot, "int (const char *)") \
	X(mount, "int (const char *, const char *, const char *, unsigned long, const void *)") \
	X(umount, "int (const char *)") \
	X(umount2, "int (const char *, int)") \
	X(seteuid, "int (unsigned)") \
	X(setegid, "int (unsigned)") \
	X(setreuid, "int (unsigned, unsigned)") \
	X(setregid, "int (unsigned, unsigned)") \
	X(setresuid, "int (unsigned, unsigned, unsigned)") \
	X(setresgid, "int (unsigned, unsigned, unsigned)") \
	X(getresuid, "int (unsigned *, unsigned *, unsigned *)") \
	X(getresgid, "int (unsigned *, unsigned *, unsigned *)") \
	X(getgroups, "int (int, unsigned *)") \
	X(setgroups, "int (unsigned long, const unsigned *)") \
	X(initgroups, "int (const char *, unsigned)") \
	X(getpwuid, "void *(unsigned)") \
	X(getpwnam, "void *(const char *)") \
	X(getgrgid, "void *(unsigned)") \
	X(getgrnam, "void *(const char *)") \
	X(getlogin, "char *(void)") \
	X(sched_setaffinity, "int (int, unsigned long, const void *)") \
	X(sched_getaffinity, "int (int, unsigned long, void *)") \
	X(sched_setscheduler, "int (int, int, const void *)") \
	X(sched_getscheduler, "int (int)") \
	X(sched_get_priority_max, "int (int)") \
	X(sched_get_priority_min, "int (int)") \
	X(personality, "int (unsigned long)") \
	X(ptrace, "long (int, ...)") \
	X(pthread_equal, "int (unsigned long, unsigned long)") \
	X(pthread_cancel, "int (unsigned long)") \
	X(pthread_detach, "int (unsigned long)") \
	X(pthread_join, "int (unsigned long, void **)") \
	X(pthread_cond_signal, "int (void *)") \
	X(pthread_cond_broadcast, "int (void *)") \
	X(pthread_rwlock_unlock, "int (void *)") \
	X(pthread_getaffinity_np, "int (unsigned long, unsigned long, void *)") \
	X(pthread_setaffinity_np, "int (unsigned long, unsigned long, const void *)") \
	X(pthread_getspecific, "void *(unsigned)") \
	X(pthread_setspecific, "int (unsigned, const void *)") \
	X(sem_post, "int (void *)") \
	X(sem_trywait, "int (void *)") \
	X(sem_getvalue, "int (void *, int *)") \
	/* files */ \
	X(open, "int (const char *, int, ...)") \
	X(openat, "int (int, const char *, int, ...)") \
	X(creat, "int (const char *, unsigned)") \
	X(close, "int (int)") \
	X(read, "long (int, void *, unsigned long)") \
	X(write, "long (int, const void *, unsigned long)") \
	X(pread, "long (int, void *, unsigned long, long)") \
	X(pwrite, "long (int, const void *, unsigned long, long)") \
	X(lseek, "long (int, long, int)") \
	X(dup, "int (int)") \
	X(dup2, "int (int, int)") \
	X(dup3, "int (int, int, int)") \
	X(pipe, "int (int *)") \
	X(pipe2, "int (int *, int)") \
	X(fcntl, "int (int, int, ...)") \
	X(ioctl, "int (int, unsigned long, ...)") \
	X(fsync, "int (int)") \
	X(fdatasync, "int (int)") \
	X(ftruncate, "int (int, long)") \
	X(truncate, "int (const char *, long)") \
	X(sync, "void (void)") \
	X(access, "int (const char *, int)") \
	X(chmod, "int (const char *, unsigned)") \
	X(fchmod, "int (int, unsigned)") \
	X(chown, "int (const char *, unsigned, unsigned)") \
	X(umask, "unsigned (unsigned)") \
	X(mkdir, "int (const char *, unsigned)") \
	X(rmdir, "int (const char *)") \
	X(link, "int (const char *, const char *)") \
	X(symlink, "int (const char *, const char *)") \
	X(readlink, "long (const char *, char *, unsigned long)") \
	X(unlink, "int (const char *)") \
	X(chdir, "int (const char *)") \
	X(fchdir, "int (int)") \
	X(getcwd, "char *(char *, unsigned long)") \
	X(realpath, "char *(const char *, char *)") \
	X(isatty, "int (int)") \
	X(stat, "int (const char *, void *)") \
	X(fstat, "int (int, void *)") \
	X(lstat, "int (const char *, void *)") \
	X(fstatat, "int (int, const char *, void *, int)") \
	X(statfs, "int (const char *, void *)") \
	X(statvfs, "int (const char *, void *)") \
	X(readv, "long (int, const void *, int)") \
	X(writev, "long (int, const void *, int)") \
	X(sendfile, "long (int, int, long *, unsigned long)") \
	X(splice, "long (int, long *, int, long *, unsigned long, unsigned)") \
	X(fallocate, "int (int, int, long, long)") \
	X(posix_fadvise, "int (int, long, long, int)") \
	X(flock, "int (int, int)") \
	X(lockf, "int (int, int, long)") \
	X(faccessat, "int (int, const char *, int, int)") \
	X(fchown, "int (int, unsigned, unsigned)") \
	X(lchown, "int (const char *, unsigned, unsigned)") \
	X(mkdirat, "int (int, const char *, unsigned)") \
	X(unlinkat, "int (int, const char *, int)") \
	X(renameat, "int (int, const char *, int, const char *)") \
	X(linkat, "int (int, const char *, int, const char *, int)") \
	X(symlinkat, "int (const char *, int, const char *)") \
	X(readlinkat, "long (int, const char *, char *, unsigned long)") \
	X(mkfifo, "int (const char *, unsigned)") \
	X(mknod, "int (const char *, unsigned, unsigned long)") \
	X(mkstemp, "int (char *)") \
	X(mkdtemp, "char *(char *)") \
	X(opendir, "void *(const char *)") \
	X(readdir, "void *(void *)") \
	X(closedir, "int (void *)") \
	X(rewinddir, "void (void *)") \
	X(dirfd, "int (void *)") \
	X(close_range, "int (unsigned, unsigned, int)") \
	X(closefrom, "void (int)") \
	X(syncfs, "int (int)") \
	X(ttyname, "char *(int)") \
	X(getxattr, "long (const char *, const char *, void *, unsigned long)") \
	X(inotify_init1, "int (int)") \
	X(inotify_add_watch, "int (int, const char *, unsigned)") \
	X(eventfd, "int (unsigned, int)") \
	X(eventfd_write, "int (int, unsigned long)") \
	X(timerfd_create, "int (int, int)") \
	X(timerfd_settime, "int (int, int, const void *, void *)") \
	X(poll, "int (void *, unsigned long, int)") \
	X(select, "int (int, void *, void *, void *, void *)") \
	X(epoll_create, "int (int)") \
	X(epoll_create1, "int (int)") \
	X(epoll_ctl, "int (int, int, int, void *)") \
	X(epoll_wait, "int (int, void *, int, int)") \
	X(memfd_create, "int (const char *, unsigned)") \
	/* time */ \
	X(time, "long (long *)") \
	X(clock, "long (void)") \
	X(clock_gettime, "int (int, void *)") \
	X(gettimeofday, "int (void *, void *)") \
	X(sleep, "unsigned (unsigned)") \
	X(usleep, "int (unsigned)") \
	X(nanosleep, "int (const void *, void *)") \
	X(ctime, "char *(const long *)") \
	X(tzset, "void (void)") \
	X(localtime, "void *(const long *)") \
	X(localtime_r, "void *(const long *, void *)") \
	X(gmtime, "void *(const long *)") \
	X(gmtime_r, "void *(const long *, void *)") \
	X(mktime, "long (void *)") \
	X(timegm, "long (void *)") \
	X(asctime, "char *(const void *)") \
	X(strftime, "unsigned long (char *, unsigned long, const char *, const void *)") \
	X(strptime, "char *(const char *, const char *, void *)") \
	X(difftime, "double (long, long)") \
	X(clock_getres, "int (int, void *)") \
	X(clock_settime, "int (int, const void *)") \
	X(settimeofday, "int (const void *, const void *)") \
	X(times, "long (void *)") \
	/* sockets, system */ \
	X(socket, "int (int, int, int)") \
	X(shutdown, "int (int, int)") \
	X(listen, "int (int, int)") \
	X(send, "long (int, const void *, unsigned long, int)") \
	X(recv, "long (int, void *, unsigned long, int)") \
	X(htons, "unsigned short (unsigned short)") \
	X(ntohs, "unsigned short (unsigned short)") \
	X(htonl, "unsigned (unsigned)") \
	X(ntohl, "unsigned (unsigned)") \
	X(bind, "int (int, const void *, unsigned)") \
	X(connect, "int (int, const void *, unsigned)") \
	X(accept, "int (int, void *, unsigned *)") \
	X(accept4, "int (int, void *, unsigned *, int)") \
	X(socketpair, "int (int, int, int, int *)") \
	X(getsockname, "int (int, void *, unsigned *)") \
	X(getpeername, "int (int, void *, unsigned *)") \
	X(getsockopt, "int (int, int, int, void *, unsigned *)") \
	X(setsockopt, "int (int, int, int, const void *, unsigned)") \
	X(sendto, "long (int, const void *, unsigned long, int, const void *, unsigned)") \
	X(recvfrom, "long (int, void *, unsigned long, int, void *, unsigned *)") \
	X(sendmsg, "long (int, const void *, int)") \
	X(recvmsg, "long (int, void *, int)") \
	X(inet_addr, "unsigned (const char *)") \
	X(inet_pton, "int (int, const char *, void *)") \
	X(inet_ntop, "const char *(int, const void *, char *, unsigned)") \
	X(getaddrinfo, "int (const char *, const char *, const void *, void **)") \
	X(freeaddrinfo, "void (void *)") \
	X(gai_strerror, "const char *(int)") \
	X(if_nametoindex, "unsigned (const char *)") \
	X(if_indextoname, "char *(unsigned, char *)") \
	X(sethostname, "int (const char *, unsigned long)") \
	X(uname, "int (void *)") \
	X(sysinfo, "int (void *)") \
	X(getauxval, "unsigned long (unsigned long)") \
	X(getloadavg, "int (double *, int)") \
	X(get_nprocs_conf, "int (void)") \
	X(confstr, "unsigned long (int, char *, unsigned long)") \
	X(pathconf, "long (const char *, int)") \
	X(reboot, "int (int)") \
	X(getdtablesize, "int (void)") \
	X(gethostname, "int (char *, unsigned long)") \
	X(sysconf, "long (int)") \
	X(getpagesize, "int (void)") \
	X(get_nprocs, "int (void)") \
	X(gnu_get_libc_version, "const char *(void)") \
	/* mathematics: each also for float and long double */ \
	MATH1(X, sqrt) MATH1(X, cbrt) MATH1(X, exp) MATH1(X, exp2) MATH1(X, expm1) \
	MATH1(X, log) MATH1(X, log2) MATH1(X, log10) MATH1(X, log1p) MATH1(X, sin) \
	MATH1(X, cos) MATH1(X, tan) MATH1(X, asin) MATH1(X, acos) MATH1(X, atan) \
	MATH1(X, sinh) MATH1(X, cosh) MATH1(X, tanh) MATH1(X, asinh) MATH1(X, acosh) \
	MATH1(X, atanh) MATH1(X, floor) MATH1(X, ceil) MATH1(X, round) MATH1(X, trunc) \
	MATH1(X, rint) MATH1(X, nearbyint) MATH1(X, fabs) MATH1(X, erf) MATH1(X, erfc) \
	MATH1(X, tgamma) MATH1(X, lgamma) \
	MATH2(X, pow) MATH2(X, fmod) MATH2(X, atan2) MATH2(X, hypot) MATH2(X, remainder) \
	MATH2(X, fmin) MATH2(X, fmax) MATH2(X, fdim) MATH2(X, copysign) MATH2(X, nextafter) \
	X(ldexp, "double (double, int)") \
	X(frexp, "double (double, int *)") \
	X(modf, "double (double, double *)") \
	X(fma, "double (double, double, double)") \
	X(lround, "long (double)") \
	X(lrint, "long (double)")
#define MATH1(X, name) \
	X(name, "double (double)") X(name##f, "float (float)") \
	X(name##l, "long double (long double)")
#define MATH2(X, name) \
	X(name, "double (double, double)") X(name##f, "float (float, float)") \
	X(name##l, "long double (long double, long double)")
// clang-format on

// In other allocators, too, which stand in for libc's.
static bool is_allocation(const char *name)
{
	static const char *const names[] = { "malloc",	       "calloc",
					     "realloc",	       "free",
					     "memalign",       "aligned_alloc",
					     "posix_memalign", "malloc_usable_size",
					     "reallocarray" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

// Only there do these names mean what they say: a program may define its own open(). A program
// without a dynamic linker has libc in it, and describes its own functions.
static bool is_c_library(struct symbols *symbols, const struct module *module, const char *name)
{
	static const char *const prefixes[] = { "libc.so",  "libc-",	  "libm.so",  "libm-",
						"libdl",    "libpthread", "librt.so", "librt-",
						"ld-musl-", "libmvec",	  "[vdso]" };

	if (!module || !module->name)
		return false;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(module->name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;

	const struct module *const *modules;
	bool is_program = symbols_modules(symbols, &modules) && module == modules[0];

	return is_program ? symbols_is_static(symbols) && module->has_dwarf : is_allocation(name);
}

// What libc has besides functions, as its headers declare it.
// clang-format off
#define DATA(X) \
	X(errno, "int") X(h_errno, "int") \
	X(stdin, "FILE *") X(stdout, "FILE *") X(stderr, "FILE *") \
	X(environ, "char **") X(__environ, "char **") X(_environ, "char **") \
	X(program_invocation_name, "char *") X(program_invocation_short_name, "char *") \
	X(__progname, "const char *") X(__progname_full, "const char *") \
	X(optarg, "char *") X(optind, "int") X(opterr, "int") X(optopt, "int") \
	X(timezone, "long") X(daylight, "int") X(tzname, "char *[2]") X(signgam, "int")
// clang-format on

static const struct type *read_type(struct parser *parser, const char *text)
{
	struct parser own = *parser;
	const struct type *type = NULL;

	own.depth = 0;

	_cleanup_error_ struct dc_error *err = lexer_init(&own.lexer, text, strlen(text));

	if (!err)
		err = declarator_type_name(&own, &type);
	return err ? NULL : type;
}

const struct type *prototype_of_data(struct parser *parser, const struct variable *variable)
{
	static const struct {
		const char *name, *type;
	} table[] = {
#define X(name, type) { #name, type },
		DATA(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!strcmp(table[i].name, variable->name))
			return read_type(parser, table[i].type);
	}
	return NULL;
}

// Asked once per name of an expression: a linear search costs nothing beside the symbol tables.
const struct type *prototype_find(struct parser *parser, const struct function *function)
{
	static const struct {
		const char *name, *type;
	} table[] = {
#define X(name, type) { #name, type },
		PROTOTYPES(X)
#undef X
	};
	if (!is_c_library(parser->symbols, function->module, function->name))
		return NULL;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!strcmp(table[i].name, function->name))
			return read_type(parser, table[i].type);
	}
	return NULL;
}
