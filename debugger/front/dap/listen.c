// SPDX-License-Identifier: MIT
// Who may be the client: whoever started us, or the same user at a socket. Each conversation at a
// socket is a process of its own, so that none can harm another.
#include "debugger/front/dap/listen.h"

#include "debugger/front/dap/dap.h"
#include "debugger/front/interrupt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { USAGE = 2, FAILED = 1 };

struct dap_options {
	const char *listen, *token, *keep;
	bool outlives;
	FILE *log;
};

static int complain(const char *what)
{
	fprintf(stderr, "error: %s: %s\n", what, strerror(errno));
	return FAILED;
}

// ---- Standard input and output ----

// What anybody prints by mistake would break the protocol: it goes to standard error, and the
// protocol's is another descriptor.
static int serve_standard(const struct dap_options *options)
{
	int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (in < 0 || out < 0 || null < 0)
		return complain("standard input and output");
	dup2(null, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	close(null);
	return dap_serve(in, out, options->log, NULL);
}

// ---- Sockets ----

static int listen_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;

	mode_t mask = umask(0177);
	int failed = bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8);

	umask(mask);
	if (!failed)
		return fd;
	close(fd);
	return -1;
}

static int listen_tcp(uint16_t port, uint16_t *bound)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&address, &length)) {
		close(fd);
		return -1;
	}
	*bound = ntohs(address.sin_port);
	return fd;
}

static bool is_same_user_unix(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) && peer.uid == geteuid();
}

// The kernel lists each end of a connection with its owner; the client's has our ports the other way
// around.
static bool is_same_user_tcp(int fd)
{
	struct sockaddr_in ours, theirs;
	socklen_t length = sizeof(ours);
	unsigned local_addr, local_port, remote_addr, remote_port, uid;
	bool is_same = false;
	char line[256];
	FILE *file;

	if (getsockname(fd, (struct sockaddr *)&ours, &length))
		return false;
	length = sizeof(theirs);
	if (getpeername(fd, (struct sockaddr *)&theirs, &length))
		return false;
	file = fopen("/proc/net/tcp", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*d: %x:%x %x:%x %*x %*x:%*x %*x:%*x %*x %u", &local_addr,
			   &local_port, &remote_addr, &remote_port, &uid) != 5)
			continue;
		if (local_addr == theirs.sin_addr.s_addr && local_port == ntohs(theirs.sin_port) &&
		    remote_addr == ours.sin_addr.s_addr && remote_port == ntohs(ours.sin_port))
			is_same = uid == geteuid();
	}
	if (file)
		fclose(file);
	return is_same;
}

static int accept_all(int listener, bool (*is_same_user)(int fd), const struct dap_options *options,
		      const char *token)
{
	// Nobody asks how a conversation ended.
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return complain("cannot accept");
		if (!is_same_user(fd)) {
			fputs("another user's connection was closed\n", stderr);
			close(fd);
			continue;
		}
		pid_t child = fork();

		if (!child) {
			signal(SIGCHLD, SIG_DFL);
			interrupt_install();
			close(listener);
			exit(dap_serve(fd, fd, options->log, token));
		}
		if (child < 0)
			complain("cannot serve a client");
		close(fd);
	}
}

static int serve_unix(const struct dap_options *options, const char *path)
{
	int fd = listen_unix(path);

	if (fd < 0)
		return complain(path);
	fprintf(stderr, "listening at unix:%s\n", path);
	return accept_all(fd, is_same_user_unix, options, NULL);
}

// A port is open to every program of the user's, a browser too: only who was told the token may
// attach.
static int serve_tcp(const struct dap_options *options, uint16_t port)
{
	char made[33];
	const char *token = options->token;
	unsigned char random[16];
	int fd = listen_tcp(port, &port);

	if (fd < 0)
		return complain("127.0.0.1");
	if (!token) {
		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return complain("getrandom");
		for (size_t i = 0; i < sizeof(random); i++)
			sprintf(made + 2 * i, "%02x", random[i]);
		token = made;
	}
	fprintf(stderr, "listening at 127.0.0.1:%u, token %s\n", port, token);
	return accept_all(fd, is_same_user_tcp, options, token);
}

static int serve_address(const struct dap_options *options)
{
	const char *address = options->listen;
	const char *colon = strrchr(address, ':');
	const char *number = colon ? colon + 1 : address;
	char *end;
	unsigned long port = strtoul(number, &end, 10);

	if (!strncmp(address, "unix:", 5))
		return serve_unix(options, address + 5);
	if (*number < '0' || *number > '9' || *end || port > 65535 ||
	    (colon && strncmp(address, "127.0.0.1:", 10) != 0 &&
	     strncmp(address, "localhost:", 10) != 0)) {
		fprintf(stderr,
			"error: --listen wants unix:PATH, or a port on 127.0.0.1, not "
			"'%.100s'\n",
			address);
		return USAGE;
	}
	return serve_tcp(options, (uint16_t)port);
}

static void help(void)
{
	puts("usage: debugcall dap [--listen unix:PATH|PORT] [--token TEXT] [--log FILE]\n"
	     "\n"
	     "Speaks the Debug Adapter Protocol, on standard input and output or at a socket of\n"
	     "this user's alone. debugcall-dap(5) has the attributes of attach.");
}

int dap_main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "token", required_argument, NULL, 't' },
		{ "log", required_argument, NULL, 'o' },
		{ "keep", required_argument, NULL, 'k' },
		{ "outlives", no_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct dap_options options = { 0 };
	int letter;

	while ((letter = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (letter) {
		case 'l': options.listen = optarg; break;
		case 't': options.token = optarg; break;
		case 'o':
			options.log = fopen(optarg, "ae");
			if (!options.log)
				return complain(optarg);
			break;
		case 'k': options.keep = optarg; break;
		case 'u': options.outlives = true; break;
		case 'h': help(); return 0;
		default: return USAGE;
		}
	}
	// What we have a client's terminal run.
	if (options.keep && optind < argc)
		return launch_keep(options.keep,
				   &(struct launch_options){ .program = argv[optind],
							     .argv = argv + optind,
							     .outlives = options.outlives });
	if (optind < argc) {
		fprintf(stderr, "error: debugcall dap takes no '%.100s'\n", argv[optind]);
		return USAGE;
	}
	if (options.listen)
		return serve_address(&options);
	interrupt_install();
	return serve_standard(&options);
}
