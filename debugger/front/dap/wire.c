// SPDX-License-Identifier: MIT
// Frames in and out. Nothing of the protocol but its framing is known here.
#include "debugger/front/dap/wire.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { HEADER_MAX = 4096, BODY_MAX = 64 << 20 };

struct wire {
	int in, out;
	int event_fd; // there is a message
	int stop_fd; // the reader is to end
	pthread_t reader;
	pthread_mutex_t lock; // of the queue
	pthread_mutex_t log_lock;
	FILE *log;
	struct message *first, **last;
	// The reader's: what was read and is no message yet.
	char *buffer;
	size_t length, room;
};

void message_destroy(struct message *message)
{
	if (!message)
		return;
	json_decref(message->json);
	free(message);
}

static void note(struct wire *wire, const char *direction, const char *text, size_t length)
{
	struct timespec now;

	if (!wire->log)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	pthread_mutex_lock(&wire->log_lock);
	fprintf(wire->log, "%lld.%06ld %s %.*s\n", (long long)now.tv_sec, now.tv_nsec / 1000,
		direction, (int)length, text);
	fflush(wire->log);
	pthread_mutex_unlock(&wire->log_lock);
}

// ---- The reader ----

// A message that there is no memory for ends the conversation: one that is lost silently would
// leave a client that waits for ever.
static bool deliver(struct wire *wire, int kind, json_t *json, const char *complaint)
{
	struct message *message = calloc(1, sizeof(*message));

	if (!message) {
		json_decref(json);
		return false;
	}
	message->kind = kind;
	message->json = json;
	if (complaint)
		snprintf(message->complaint, sizeof(message->complaint), "%s", complaint);
	pthread_mutex_lock(&wire->lock);
	*wire->last = message;
	wire->last = &message->next;
	pthread_mutex_unlock(&wire->lock);
	eventfd_write(wire->event_fd, 1);
	return true;
}

static bool deliver_body(struct wire *wire, const char *body, size_t length)
{
	char complaint[160];
	json_error_t error;
	json_t *json = json_loadb(body, length, 0, &error);

	note(wire, "<-", body, length);
	if (json)
		return deliver(wire, MESSAGE_JSON, json, NULL);
	snprintf(complaint, sizeof(complaint), "no JSON: %.100s (byte %d)", error.text,
		 error.position);
	return deliver(wire, MESSAGE_BAD, NULL, complaint);
}

// The length that one header line tells; -1: it is another header, -2: it is none.
static ssize_t header_length(const char *line, size_t length)
{
	static const char name[] = "Content-Length:";
	size_t n = sizeof(name) - 1;
	ssize_t value = 0;

	if (length < n || strncasecmp(line, name, n) != 0)
		return memchr(line, ':', length) ? -1 : -2;
	while (n < length && line[n] == ' ')
		n++;
	if (n == length)
		return -2;
	for (; n < length; n++) {
		if (line[n] < '0' || line[n] > '9')
			return -2;
		value = value * 10 + (line[n] - '0');
		if (value > BODY_MAX)
			return -2;
	}
	return value;
}

// The header at the buffer's start: its size with the empty line, 0 while it is not all there,
// -1 when it is none. A browser that was lured here begins with another line, and gets no further.
static ssize_t read_header(const struct wire *wire, size_t *body)
{
	size_t at = 0;
	bool has_length = false;

	for (;;) {
		const char *line = wire->buffer + at;
		const char *end = memchr(line, '\n', wire->length - at);

		if (!end)
			return wire->length > HEADER_MAX ? -1 : 0;
		size_t length = (size_t)(end - line);

		at += length + 1;
		if (length && line[length - 1] == '\r')
			length--;
		if (!length)
			return has_length ? (ssize_t)at : -1;
		ssize_t value = header_length(line, length);

		if (value == -2 || (value == -1 && !has_length))
			return -1;
		if (value >= 0) {
			*body = (size_t)value;
			has_length = true;
		}
	}
}

// Delivers the messages that are complete; false: no more will be.
static bool cut(struct wire *wire)
{
	for (;;) {
		size_t body = 0;
		ssize_t header = wire->length ? read_header(wire, &body) : 0;

		if (header < 0) {
			deliver(wire, MESSAGE_BROKEN, NULL,
				"a message begins with 'Content-Length: N' and an empty line");
			return false;
		}
		if (!header || wire->length < (size_t)header + body)
			return true;
		if (!deliver_body(wire, wire->buffer + header, body))
			return false;
		wire->length -= (size_t)header + body;
		memmove(wire->buffer, wire->buffer + header + body, wire->length);
	}
}

static bool make_room(struct wire *wire)
{
	if (wire->room - wire->length >= 16384)
		return true;
	size_t room = wire->room ? 2 * wire->room : 65536;
	char *buffer = realloc(wire->buffer, room);

	if (!buffer)
		return false;
	wire->buffer = buffer;
	wire->room = room;
	return true;
}

static void *read_all(void *arg)
{
	struct wire *wire = arg;
	struct pollfd polls[] = { { wire->in, POLLIN, 0 }, { wire->stop_fd, POLLIN, 0 } };

	while (make_room(wire)) {
		if (poll(polls, 2, -1) < 0 && errno == EINTR)
			continue;
		if (polls[1].revents)
			return NULL;
		ssize_t n = read(wire->in, wire->buffer + wire->length, wire->room - wire->length);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			break;
		wire->length += (size_t)n;
		if (!cut(wire))
			return NULL;
	}
	deliver(wire, MESSAGE_END, NULL, NULL);
	return NULL;
}

// ---- For whoever answers ----

static bool start(struct wire *wire)
{
	sigset_t all, old;

	wire->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	wire->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (wire->event_fd < 0 || wire->stop_fd < 0)
		return false;
	// Interrupts are for the thread that answers.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);

	int failed = pthread_create(&wire->reader, NULL, read_all, wire);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return !failed;
}

static void release(struct wire *wire)
{
	struct message *message;

	while ((message = wire->first)) {
		wire->first = message->next;
		message_destroy(message);
	}
	if (wire->event_fd >= 0)
		close(wire->event_fd);
	if (wire->stop_fd >= 0)
		close(wire->stop_fd);
	pthread_mutex_destroy(&wire->lock);
	pthread_mutex_destroy(&wire->log_lock);
	free(wire->buffer);
	free(wire);
}

struct wire *wire_open(int in, int out, FILE *log)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return NULL;
	*wire = (struct wire){ .in = in, .out = out, .log = log, .event_fd = -1, .stop_fd = -1 };
	wire->last = &wire->first;
	pthread_mutex_init(&wire->lock, NULL);
	pthread_mutex_init(&wire->log_lock, NULL);
	if (start(wire))
		return wire;
	release(wire);
	return NULL;
}

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	eventfd_write(wire->stop_fd, 1);
	pthread_join(wire->reader, NULL);
	release(wire);
}

int wire_fd(const struct wire *wire)
{
	return wire->event_fd;
}

struct message *wire_next(struct wire *wire)
{
	struct message *message;
	eventfd_t count;

	pthread_mutex_lock(&wire->lock);
	message = wire->first;
	if (message) {
		wire->first = message->next;
		message->next = NULL;
		if (!wire->first)
			wire->last = &wire->first;
	} else {
		eventfd_read(wire->event_fd, &count);
	}
	pthread_mutex_unlock(&wire->lock);
	return message;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t written = write(fd, bytes, n);

		if (written < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, -1);
			continue;
		}
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes += written;
		n -= (size_t)written;
	}
	return true;
}

bool wire_send(struct wire *wire, const json_t *json)
{
	char header[64];
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9));

	if (!text)
		return false;
	size_t length = strlen(text);
	int n = snprintf(header, sizeof(header), "Content-Length: %zu\r\n\r\n", length);
	bool sent = write_all(wire->out, header, (size_t)n) && write_all(wire->out, text, length);

	note(wire, "->", text, length);
	free(text);
	return sent;
}
