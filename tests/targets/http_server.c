// SPDX-License-Identifier: MIT
// An HTTP/1.1 server on libgort, one goroutine a connection, written to be read: the example of the library, and
// a busy target for debug calls.
//
//   http_server [PORT [TIMEOUT_MS]]     PORT 0 or none: any, printed; SIGTERM stops it gracefully
//
//   GET  /           a greeting             GET  /sum/A/B     A + B
//   GET  /bytes/N    N bytes                GET  /sleep/MS    answers later
//   POST /echo       the body back          GET  /stats       the counters
//
// A debugger likes to call http_stats(), http_set_limit(n), http_wait_requests(n), which parks,
// http_route_requests(i), which panics when there is no such route, and http_hash(text, rounds).
#include "runtime/gort.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

enum {
	HEAD_MAX = 8192, // the request line and all header fields
	OUT_SIZE = 8192, // answers are gathered up to this
	BODY_MAX = 64 << 10,
	BYTES_MAX = 1 << 20, // of /bytes
	SLEEP_MAX = 10 * 1000, // ms
	BACKLOG = 4096,
};
#define MS INT64_C(1000000)

// ---- what a debugger may call and look at -------------------------------------------------------

struct http_stats {
	long accepted; // connections
	long refused; // connections beyond the limit
	long open; // connections now
	long requests; // answered, whatever the status
	long errors; // of them, those answered 4xx or 5xx
	long timeouts; // connections that were too slow
	long bytes_in, bytes_out;
};

static struct http_stats stats;
int http_limit = 10000; // connections at once; more are answered 503
int64_t http_timeout = 10 * 1000 *
		       MS; // for a request to arrive whole, and for an answer to be taken
int64_t http_idle_timeout = 60 * 1000 * MS; // between requests
const int64_t http_linger = 2 * 1000 * MS; // for the peer to close after our last answer
const int64_t http_grace = 10 * 1000 * MS; // for requests under way when the server stops

static void count(long *counter, long n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static long counted(const long *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

struct http_stats http_stats(void)
{
	return (struct http_stats){
		.accepted = counted(&stats.accepted),
		.refused = counted(&stats.refused),
		.open = counted(&stats.open),
		.requests = counted(&stats.requests),
		.errors = counted(&stats.errors),
		.timeouts = counted(&stats.timeouts),
		.bytes_in = counted(&stats.bytes_in),
		.bytes_out = counted(&stats.bytes_out),
	};
}

// The former limit.
int http_set_limit(int n)
{
	return __atomic_exchange_n(&http_limit, n, __ATOMIC_RELAXED);
}

// Parks until n more requests were answered; how many there were then.
long http_wait_requests(long n)
{
	long until = counted(&stats.requests) + n;

	while (counted(&stats.requests) < until)
		if (gort_sleep(MS))
			break;
	return counted(&stats.requests);
}

// FNV-1a of text, over and over.
unsigned long http_hash(const char *text, long rounds)
{
	unsigned long hash = 0xcbf29ce484222325;

	for (long i = 0; i < rounds; i++)
		for (const char *c = text; *c; c++)
			hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
	return hash;
}

// ---- the date -----------------------------------------------------------------------------------

// A text stays as it is for a minute, so that readers need no lock.
static char dates[60][32];
static unsigned newest_date;

static void set_date(time_t now)
{
	unsigned i = (unsigned)(now % 60);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(dates[i], sizeof(dates[i]), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	__atomic_store_n(&newest_date, i, __ATOMIC_RELEASE);
}

static void keep_date(void *arg)
{
	struct timespec now;

	(void)arg;
	do {
		clock_gettime(CLOCK_REALTIME, &now);
		set_date(now.tv_sec);
	} while (!gort_sleep(1000 * MS - now.tv_nsec));
}

// ---- a connection -------------------------------------------------------------------------------

struct connection {
	struct connection *next, **link; // all of them, under connections.lock
	int fd;
	uint32_t is_waiting; // for the first byte of a request
	bool is_last; // the answer at hand ends the connection
	bool has_ended, is_late,
		is_broken; // no more to read: the peer said so, the clock, an error
	size_t in_start, in_end, out_end;
	char in[HEAD_MAX], out[OUT_SIZE];
};

static struct {
	gort_mutex lock;
	gort_wg running;
	struct connection *first;
	uint32_t is_stopping;
} connections;

static bool is_stopping(void)
{
	return __atomic_load_n(&connections.is_stopping, __ATOMIC_SEQ_CST);
}

static bool receive(struct connection *c, char *buf, size_t n, int64_t deadline, size_t *got)
{
	ssize_t ret = gort_read_until(c->fd, buf, n, deadline);

	c->has_ended |= ret == 0;
	c->is_late |= ret == -ETIMEDOUT;
	c->is_broken |= ret < 0 && ret != -ETIMEDOUT;
	*got = ret > 0 ? (size_t)ret : 0;
	count(&stats.bytes_in, (long)*got);
	return ret > 0;
}

// Reads more behind what is there; the buffer must have room.
static bool fill(struct connection *c, int64_t deadline)
{
	size_t got;

	memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
	c->in_end -= c->in_start;
	c->in_start = 0;
	if (!receive(c, c->in + c->in_end, sizeof(c->in) - c->in_end, deadline, &got))
		return false;
	c->in_end += got;
	return true;
}

static void send_now(struct connection *c, const void *data, size_t n)
{
	if (c->is_broken || !n)
		return;

	ssize_t sent = gort_write_until(c->fd, data, n, gort_now() + http_timeout);

	c->is_broken = sent < (ssize_t)n;
	count(&stats.timeouts, c->is_broken && (sent > 0 || sent == -ETIMEDOUT));
	if (sent > 0)
		count(&stats.bytes_out, sent);
}

static void flush(struct connection *c)
{
	send_now(c, c->out, c->out_end);
	c->out_end = 0;
}

// What fits is gathered with the answers to other requests that came at once.
static void put(struct connection *c, const void *data, size_t n)
{
	if (n > sizeof(c->out) - c->out_end)
		flush(c);
	if (n > sizeof(c->out)) {
		send_now(c, data, n);
	} else {
		memcpy(c->out + c->out_end, data, n);
		c->out_end += n;
	}
}

// ---- a request ----------------------------------------------------------------------------------
// What parses returns the status to answer with, or 0 when all is well.

struct request {
	char *method, *path; // in the connection's buffer
	int minor; // HTTP/1.minor
	int hosts;
	bool has_length, has_coding, wants_close, wants_keep, expects;
	size_t length; // of the body
	char *body;
};

static bool is_token(const char *text)
{
	static const char letters[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz";

	return *text && !text[strspn(text, letters)];
}

// Digits, then end; what is beyond max becomes max + 1.
static bool parse_number(const char *text, char end, unsigned long max, unsigned long *ret)
{
	*ret = 0;
	if (*text == end)
		return false;
	for (; *text != end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		*ret = *ret * 10 + (unsigned long)(*text - '0');
		if (*ret > max)
			*ret = max + 1;
	}
	return true;
}

static bool has_word(const char *list, const char *word)
{
	size_t length, n = strlen(word);

	for (; *list; list += length) {
		list += strspn(list, ", \t");
		length = strcspn(list, ", \t");
		if (length == n && !strncasecmp(list, word, n))
			return true;
	}
	return false;
}

static int parse_request_line(char *line, struct request *request)
{
	char *target = strchr(line, ' ');
	char *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version)
		return 400;
	*target++ = *version++ = '\0';
	if (!is_token(line) || strlen(version) != 8 || strncmp(version, "HTTP/", 5) ||
	    !strchr("0123456789", version[5]) || version[6] != '.' ||
	    !strchr("0123456789", version[7]))
		return 400;
	if (version[5] != '1')
		return 505;
	request->minor = version[7] - '0';
	request->method = line;
	// Proxies get the whole address, and servers must accept it.
	if (!strncasecmp(target, "http://", 7)) {
		target += 7 + strcspn(target + 7, "/?");
		if (*target != '/')
			target = "/";
	}
	if (*target != '/' && strcmp(target, "*"))
		return 400;
	request->path = target;
	return 0;
}

static int parse_length(const char *value, struct request *request)
{
	unsigned long length;

	if (!parse_number(value, '\0', BODY_MAX, &length) ||
	    (request->has_length && request->length != length))
		return 400;
	request->has_length = true;
	request->length = length;
	return length > BODY_MAX ? 413 : 0;
}

static int parse_field(char *line, struct request *request)
{
	char *value = strchr(line, ':');

	if (!value)
		return 400;
	*value++ = '\0';
	// No space before the colon, and no line that goes on: so requests would be smuggled past a
	// proxy.
	if (!is_token(line))
		return 400;
	value += strspn(value, " \t");
	for (char *end = value + strlen(value); end > value && strchr(" \t", end[-1]);)
		*--end = '\0';
	if (!strcasecmp(line, "host")) {
		request->hosts++;
	} else if (!strcasecmp(line, "content-length")) {
		return parse_length(value, request);
	} else if (!strcasecmp(line, "transfer-encoding")) {
		request->has_coding = true;
	} else if (!strcasecmp(line, "connection")) {
		request->wants_close |= has_word(value, "close");
		request->wants_keep |= has_word(value, "keep-alive");
	} else if (!strcasecmp(line, "expect")) {
		request->expects = true;
		return strcasecmp(value, "100-continue") ? 417 : 0;
	}
	return 0;
}

// The head is there whole, from in_start to end.
static int parse_head(struct connection *c, const char *end, struct request *request)
{
	bool is_first = true;
	int status = 0;

	while (!status) {
		char *line = c->in + c->in_start;
		char *next = memchr(line, '\n', (size_t)(end - line));

		c->in_start = (size_t)(next + 1 - c->in);
		// A lone LF or CR ends no line, lest a proxy in front finds other requests in the
		// same bytes.
		if (next == line || next[-1] != '\r')
			return 400;
		next[-1] = '\0';
		for (const char *p = line; p < next - 1; p++)
			if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
				return 400;
		if (!*line)
			break;
		status = is_first ? parse_request_line(line, request) : parse_field(line, request);
		is_first = false;
	}
	if (status)
		return status;
	if (request->hosts > 1 || (request->hosts == 0 && request->minor >= 1))
		return 400;
	if (request->has_coding)
		return request->has_length || request->minor == 0 ? 400 : 501;
	return 0;
}

// Behind the empty line that ends the head; NULL when it has not come yet.
static const char *end_of_head(const struct connection *c)
{
	const char *at = c->in + c->in_start, *end = c->in + c->in_end;

	while ((at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		if (end - at >= 1 && at[0] == '\n')
			return at + 1;
		if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
			return at + 2;
	}
	return NULL;
}

// Sleeps until a request begins. What was answered goes out before, and not sooner.
static bool await_request(struct connection *c)
{
	for (;;) {
		// An empty line before a request is let pass.
		while (c->in_end - c->in_start >= 2 && !memcmp(c->in + c->in_start, "\r\n", 2))
			c->in_start += 2;
		if (c->in_end - c->in_start >= 2)
			return true;
		flush(c);
		__atomic_store_n(&c->is_waiting, 1, __ATOMIC_SEQ_CST);

		// A server that stops answers what has arrived.
		bool more = !c->is_broken &&
			    fill(c, is_stopping() ? 0 : gort_now() + http_idle_timeout);

		__atomic_store_n(&c->is_waiting, 0, __ATOMIC_SEQ_CST);
		if (!more)
			return false;
	}
}

static int read_head(struct connection *c, struct request *request)
{
	int64_t deadline = gort_now() + http_timeout;
	const char *end;

	while (!(end = end_of_head(c))) {
		bool has_line = memchr(c->in + c->in_start, '\n', c->in_end - c->in_start);

		if (c->in_end - c->in_start == sizeof(c->in))
			return has_line ? 431 : 414;
		if (!fill(c, deadline))
			return c->is_late ? 408 : 400;
	}
	return parse_head(c, end, request);
}

static int read_body(struct connection *c, struct request *request)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	int64_t deadline = gort_now() + http_timeout;
	size_t n = c->in_end - c->in_start, got;

	request->body = malloc(request->length + 1);
	if (!request->body)
		return 503;
	if (n > request->length)
		n = request->length;
	memcpy(request->body, c->in + c->in_start, n);
	c->in_start += n;
	if (request->expects && n < request->length) {
		put(c, go_on, sizeof(go_on) - 1);
		flush(c);
	}
	for (; n < request->length; n += got)
		if (!receive(c, request->body + n, request->length - n, deadline, &got))
			return c->is_late ? 408 : 400;
	return 0;
}

// ---- answers ------------------------------------------------------------------------------------

static const char *reason_of(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 417: return "Expectation Failed";
	case 431: return "Request Header Fields Too Large";
	case 501: return "Not Implemented";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: abort();
	}
}

static void answer(struct connection *c, const struct request *request, int status,
		   const char *extra, const void *body, size_t n)
{
	bool asks_head = request->method && !strcmp(request->method, "HEAD");

	c->is_last |= is_stopping();

	const char *keep = c->is_last ? "Connection: close\r\n"
				      : (request->minor ? "" : "Connection: keep-alive\r\n");
	char head[512];
	int size = snprintf(head, sizeof(head),
			    "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: text/plain\r\n"
			    "Content-Length: %zu\r\n%s%s\r\n",
			    status, reason_of(status),
			    dates[__atomic_load_n(&newest_date, __ATOMIC_ACQUIRE)], n, extra, keep);

	put(c, head, (size_t)size);
	if (!asks_head)
		put(c, body, n);
	count(&stats.requests, 1);
	count(&stats.errors, status >= 400);
	count(&stats.timeouts, status == 408);
}

static void answer_error(struct connection *c, const struct request *request, int status)
{
	char extra[64] = "", body[64];
	int n = snprintf(body, sizeof(body), "%d %s\n", status, reason_of(status));

	if (status == 405)
		snprintf(extra, sizeof(extra), "Allow: %s\r\n",
			 strcmp(request->path, "/echo") ? "GET, HEAD" : "POST");
	answer(c, request, status, extra, body, (size_t)n);
}

static int greet(struct connection *c, const struct request *request, const char *rest)
{
	(void)rest;
	answer(c, request, 200, "", "hello, world\n", 13);
	return 0;
}

static int add(struct connection *c, const struct request *request, const char *rest)
{
	const char *slash = strchr(rest, '/');
	unsigned long a, b, max = 1000 * 1000 * 1000;
	char body[32];

	if (!slash || !parse_number(rest, '/', max, &a) || !parse_number(slash + 1, '\0', max, &b))
		return 404;
	answer(c, request, 200, "", body, (size_t)snprintf(body, sizeof(body), "%lu\n", a + b));
	return 0;
}

static char pattern[BYTES_MAX];

static int send_bytes(struct connection *c, const struct request *request, const char *rest)
{
	unsigned long n;

	if (!parse_number(rest, '\0', BYTES_MAX, &n) || n > BYTES_MAX)
		return 404;
	answer(c, request, 200, "", pattern, n);
	return 0;
}

static int sleep_first(struct connection *c, const struct request *request, const char *rest)
{
	unsigned long ms;

	if (!parse_number(rest, '\0', SLEEP_MAX, &ms) || ms > SLEEP_MAX)
		return 404;
	flush(c);
	gort_sleep((int64_t)ms * MS);
	answer(c, request, 200, "", "slept\n", 6);
	return 0;
}

static int echo(struct connection *c, const struct request *request, const char *rest)
{
	(void)rest;
	answer(c, request, 200, "", request->body, request->length);
	return 0;
}

static int tell_stats(struct connection *c, const struct request *request, const char *rest)
{
	struct http_stats now = http_stats();
	struct gort_stats runtime;
	char body[400];
	int n;

	(void)rest;
	gort_stats(&runtime);
	n = snprintf(body, sizeof(body),
		     "accepted %ld\nrefused %ld\nopen %ld\nrequests %ld\nerrors %ld\ntimeouts %ld\n"
		     "bytes_in %ld\nbytes_out %ld\ngoroutines %lu\nthreads %lu\nstack_bytes %lu\n",
		     now.accepted, now.refused, now.open, now.requests, now.errors, now.timeouts,
		     now.bytes_in, now.bytes_out, runtime.goroutines, runtime.threads,
		     runtime.stack_bytes);
	answer(c, request, 200, "", body, (size_t)n);
	return 0;
}

// A path that ends with a slash has more behind it. A handler answers, or returns another status.
static struct route {
	const char *method, *path;
	int (*handle)(struct connection *c, const struct request *request, const char *rest);
	long requests;
} routes[] = {
	{ "GET", "/", greet, 0 },
	{ "GET", "/sum/", add, 0 },
	{ "GET", "/bytes/", send_bytes, 0 },
	{ "GET", "/sleep/", sleep_first, 0 },
	{ "POST", "/echo", echo, 0 },
	{ "GET", "/stats", tell_stats, 0 },
};
enum { NR_ROUTES = sizeof(routes) / sizeof(*routes) };

long http_route_requests(int route)
{
	if (route < 0 || route >= NR_ROUTES)
		gort_panic("no route %d, there are %d", route, NR_ROUTES);
	return counted(&routes[route].requests);
}

static int dispatch(struct connection *c, const struct request *request)
{
	static const char known[] = "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH";
	bool reads = !strcmp(request->method, "HEAD");

	if (!has_word(known, request->method))
		return 501;
	request->path[strcspn(request->path, "?")] = '\0';
	for (struct route *route = routes; route < routes + NR_ROUTES; route++) {
		size_t n = strlen(route->path);
		bool more = n > 1 && route->path[n - 1] == '/';

		if (strncmp(request->path, route->path, n) || (request->path[n] && !more))
			continue;
		if (strcmp(reads ? "GET" : request->method, route->method))
			return 405;
		count(&route->requests, 1);
		return route->handle(c, request, request->path + n);
	}
	return 404;
}

// ---- the life of a connection -------------------------------------------------------------------

static void serve_request(struct connection *c)
{
	struct request request = { 0 };
	int status = read_head(c, &request);

	if (!status)
		status = read_body(c, &request);
	// Where a request that is wrong ends, nobody knows.
	c->is_last = status || request.wants_close || (request.minor == 0 && !request.wants_keep);
	if (!status)
		status = dispatch(c, &request);
	if (status && !c->is_broken)
		answer_error(c, &request, status);
	free(request.body);
}

// Closing with something unread would reset the connection, and the peer might not see our last
// answer.
static void say_goodbye(struct connection *c)
{
	int64_t deadline = gort_now() + http_linger;

	flush(c);
	if (!c->is_last || c->is_broken || c->has_ended)
		return;
	shutdown(c->fd, SHUT_WR);
	while (gort_read_until(c->fd, c->in, sizeof(c->in), deadline) > 0)
		;
}

static void connections_add(struct connection *c)
{
	gort_mutex_lock(&connections.lock);
	c->link = &connections.first;
	c->next = connections.first;
	if (c->next)
		c->next->link = &c->next;
	connections.first = c;
	gort_mutex_unlock(&connections.lock);
}

static void connections_remove(struct connection *c)
{
	gort_mutex_lock(&connections.lock);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	gort_mutex_unlock(&connections.lock);
}

static void serve(void *arg)
{
	struct connection c;

	// Not the buffers: a page that is not touched costs nothing.
	memset(&c, 0, offsetof(struct connection, in));
	c.fd = (int)(intptr_t)arg;
	connections_add(&c);
	while (!c.is_last && await_request(&c))
		serve_request(&c);
	say_goodbye(&c);
	connections_remove(&c);
	gort_fd_close(c.fd);
	count(&stats.open, -1);
	gort_wg_done(&connections.running);
}

static void refuse(int fd)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
				   "Connection: close\r\n\r\n";

	gort_write_until(fd, text, sizeof(text) - 1, 0);
	gort_fd_close(fd);
	count(&stats.refused, 1);
}

static void accept_all(void *arg)
{
	static const struct gort_attr attr = { .label = "connection" };
	int listener = (int)(intptr_t)arg, one = 1;

	for (;;) {
		int fd = gort_accept(listener, NULL, NULL);

		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
			gort_sleep(10 * MS);
			continue;
		}
		if (fd < 0)
			return; // closed: the server stops
		if (counted(&stats.open) >= __atomic_load_n(&http_limit, __ATOMIC_RELAXED)) {
			refuse(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		count(&stats.accepted, 1);
		count(&stats.open, 1);
		gort_wg_add(&connections.running, 1);
		if (!gort_go_with(&attr, serve, (void *)(intptr_t)fd)) {
			count(&stats.open, -1);
			gort_wg_done(&connections.running);
			refuse(fd);
		}
	}
}

static int listen_on(uint16_t port, uint16_t *ret)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(addr);
	int one = 1, fd = gort_socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, size) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&addr, &size)) {
		fprintf(stderr, "http_server: port %d: %s\n", port, strerror(fd < 0 ? -fd : errno));
		exit(1);
	}
	*ret = ntohs(addr.sin_port);
	return fd;
}

// Nobody new, those who wait are told that there is no more, and who has a request gets the answer.
static void stop(int listener)
{
	gort_fd_close(listener);
	__atomic_store_n(&connections.is_stopping, 1, __ATOMIC_SEQ_CST);
	gort_mutex_lock(&connections.lock);
	for (struct connection *c = connections.first; c; c = c->next)
		if (__atomic_load_n(&c->is_waiting, __ATOMIC_SEQ_CST))
			shutdown(c->fd, SHUT_RD);
	gort_mutex_unlock(&connections.lock);
	gort_wg_wait_until(&connections.running, gort_now() + http_grace);
}

static void main_goroutine(void *arg)
{
	gort_chan *signals = gort_chan_make(sizeof(int), 1);
	uint16_t port;
	int signo, listener;

	signal(SIGPIPE, SIG_IGN);
	gort_notify(SIGTERM, signals);
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)('a' + i % 26);
	set_date(time(NULL));
	gort_go_with(&(struct gort_attr){ .label = "date" }, keep_date, NULL);
	listener = listen_on((uint16_t)(intptr_t)arg, &port);
	gort_go_with(&(struct gort_attr){ .label = "acceptor" }, accept_all,
		     (void *)(intptr_t)listener);
	// Who reads this finds all of it begun.
	printf("%d\n", port);
	fflush(stdout);
	gort_recv(signals, &signo);
	stop(listener);
	gort_chan_release(signals);
}

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 0;

	if (argc > 2)
		http_timeout = http_idle_timeout = atoi(argv[2]) * MS;
	return gort_main(main_goroutine, (void *)(intptr_t)port);
}
