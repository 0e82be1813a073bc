// SPDX-License-Identifier: MIT
// TCP echo: a server on libgort, the same as a bare epoll loop, and the client that measures both.
//   gort_echo gort | bare                      prints its port and serves
//   gort_echo client PORT CONNECTIONS SECONDS  prints requests per second
#include "runtime/gort.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 64, BACKLOG = 1024 };

static struct sockaddr_in address(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static int listen_on(int fd)
{
	struct sockaddr_in addr = address(0);
	socklen_t len = sizeof(addr);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		abort();
	printf("%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	return fd;
}

static void no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

// ---- libgort ------------------------------------------------------------------------------------

static void serve(void *arg)
{
	int fd = (int)(long)arg;
	char buf[4096];

	for (;;) {
		ssize_t n = gort_read(fd, buf, sizeof(buf));
		if (n <= 0 || gort_write(fd, buf, (size_t)n) != n)
			break;
	}
	gort_fd_close(fd);
}

static void gort_server(void *arg)
{
	int fd = listen_on(gort_socket(AF_INET, SOCK_STREAM, 0));

	(void)arg;
	for (;;) {
		int c = gort_accept(fd, NULL, NULL);
		if (c < 0)
			abort();
		no_delay(c);
		gort_go(serve, (void *)(long)c);
	}
}

// ---- an epoll loop ------------------------------------------------------------------------------

static void watch(int ep, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		abort();
}

static void bare_server(void)
{
	int ep = epoll_create1(0), fd = listen_on(socket(AF_INET, SOCK_STREAM, 0));
	struct epoll_event ev[256];
	char buf[4096];

	watch(ep, fd);
	for (;;) {
		int n = epoll_wait(ep, ev, 256, -1);
		for (int i = 0; i < n; i++) {
			int c = ev[i].data.fd;
			if (c == fd) {
				c = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
				no_delay(c);
				watch(ep, c);
				continue;
			}
			ssize_t got = read(c, buf, sizeof(buf));
			if (got <= 0 || write(c, buf, (size_t)got) != got)
				close(c);
		}
	}
}

// ---- the client ---------------------------------------------------------------------------------

static void client(int port, int conns, double seconds)
{
	struct sockaddr_in addr = address(port);
	int ep = epoll_create1(0);
	struct epoll_event ev[256];
	char buf[MESSAGE] = "x";
	int64_t start = 0, now, warm = 200000000;
	long requests = 0;

	for (int i = 0; i < conns; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			abort();
		no_delay(fd);
		watch(ep, fd);
		if (write(fd, buf, MESSAGE) != MESSAGE)
			abort();
	}
	for (int64_t begin = gort_now();;) {
		int n = epoll_wait(ep, ev, 256, -1);
		for (int i = 0; i < n; i++) {
			if (read(ev[i].data.fd, buf, MESSAGE) != MESSAGE ||
			    write(ev[i].data.fd, buf, MESSAGE) != MESSAGE)
				abort();
			requests++;
		}
		now = gort_now();
		if (!start && now - begin > warm) {
			start = now;
			requests = 0;
		}
		if (start && now - start > (int64_t)(seconds * 1e9))
			break;
	}
	printf("%.0f\n", (double)requests * 1e9 / (double)(now - start));
}

int main(int argc, char **argv)
{
	if (argc > 4 && !strcmp(argv[1], "client"))
		client(atoi(argv[2]), atoi(argv[3]), atof(argv[4]));
	else if (argc > 1 && !strcmp(argv[1], "bare"))
		bare_server();
	else
		gort_main(gort_server, NULL);
	return 0;
}
