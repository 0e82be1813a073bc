// SPDX-License-Identifier: MIT
// A small threaded server: workers answer "GET key\n" on a loopback port from a sharded cache.
// It knows nothing of debuggers; `make demo` and the shell tests call into it.
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SHARDS = 4, SLOTS = 64, KEY = 32, WORKERS = 4 };

enum log_level { LOG_QUIET, LOG_INFO, LOG_DEBUG };

struct cache_stats {
	unsigned long hits, misses;
	int entries;
	double hit_rate;
};

struct entry {
	char key[KEY];
	long value;
};

static struct shard {
	pthread_mutex_t lock;
	struct entry entries[SLOTS];
	int used;
	unsigned long hits, misses;
} shards[SHARDS];

static enum log_level log_level = LOG_INFO;
static int listener;
int requests;

static unsigned hash(const char *key)
{
	unsigned h = 2166136261u;

	while (*key)
		h = (h ^ (unsigned char)*key++) * 16777619u;
	return h;
}

static struct entry *find(struct shard *shard, const char *key)
{
	for (int i = 0; i < shard->used; i++) {
		if (!strcmp(shard->entries[i].key, key))
			return &shard->entries[i];
	}
	return NULL;
}

// What a key is worth when it is not cached.
static long compute(const char *key)
{
	return (long)(hash(key) % 1000);
}

long cache_get(const char *key)
{
	struct shard *shard = &shards[hash(key) % SHARDS];
	long value;

	pthread_mutex_lock(&shard->lock);
	struct entry *entry = find(shard, key);
	if (entry) {
		shard->hits++;
		value = entry->value;
	} else {
		shard->misses++;
		value = compute(key);
		entry = &shard->entries[shard->used < SLOTS ? shard->used++ : (int)(value % SLOTS)];
		snprintf(entry->key, sizeof(entry->key), "%s", key);
		entry->value = value;
	}
	pthread_mutex_unlock(&shard->lock);
	return value;
}

struct cache_stats cache_stats(int shard)
{
	struct cache_stats stats = { 0 };
	struct shard *from = &shards[shard % SHARDS];

	pthread_mutex_lock(&from->lock);
	stats.hits = from->hits;
	stats.misses = from->misses;
	stats.entries = from->used;
	pthread_mutex_unlock(&from->lock);
	if (stats.hits + stats.misses)
		stats.hit_rate = (double)stats.hits / (double)(stats.hits + stats.misses);
	return stats;
}

int cache_flush(void)
{
	int dropped = 0;

	for (int i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&shards[i].lock);
		dropped += shards[i].used;
		shards[i].used = 0;
		pthread_mutex_unlock(&shards[i].lock);
	}
	return dropped;
}

enum log_level set_log_level(enum log_level level)
{
	enum log_level before = log_level;

	log_level = level;
	return before;
}

static void answer(int fd)
{
	char line[128], reply[64];
	size_t n = 0;

	while (n < sizeof(line) - 1) {
		ssize_t got = read(fd, line + n, 1);

		if (got <= 0 || line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
	if (!strncmp(line, "GET ", 4)) {
		int length = snprintf(reply, sizeof(reply), "%ld\n", cache_get(line + 4));

		__atomic_add_fetch(&requests, 1, __ATOMIC_RELAXED);
		if (log_level == LOG_DEBUG)
			fprintf(stderr, "served %s\n", line + 4);
		if (write(fd, reply, (size_t)length) < 0)
			perror("write");
	}
	close(fd);
}

static void *work(void *arg)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			answer(fd);
	}
	return arg;
}

int main(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t length = sizeof(addr);
	pthread_t threads[WORKERS];

	signal(SIGPIPE, SIG_IGN);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < SHARDS; i++)
		pthread_mutex_init(&shards[i].lock, NULL);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(listener, 64) || getsockname(listener, (struct sockaddr *)&addr, &length)) {
		perror("server");
		return 1;
	}
	for (int i = 0; i < WORKERS; i++) {
		if (pthread_create(&threads[i], NULL, work, NULL)) {
			perror("pthread_create");
			return 1;
		}
	}
	printf("%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	pthread_join(threads[0], NULL);
	return 0;
}
