// SPDX-License-Identifier: MIT
// C++ exceptions in flight belong to the goroutine; those that leave a function of the library go on
// and leave nothing behind, or end the process by name.
#include "runtime/gort.h"
#include "tests/runtime/self.h"
#include "tests/runtime/tap.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>

static gort_wg wg;
static std::atomic<int> wrong;

// ---- across parks -------------------------------------------------------------------------------

static void rethrows(void *arg)
{
	long id = reinterpret_cast<long>(arg);

	try {
		try {
			throw id;
		} catch (long) {
			gort_yield();
			try {
				throw std::to_string(id);
			} catch (const std::string &) {
				gort_yield();
				try {
					throw;
				} catch (const std::string &s) {
					wrong += s != std::to_string(id);
				}
			}
			gort_yield();
			throw;
		}
	} catch (long got) {
		wrong += got != id;
	} catch (...) {
		wrong++;
	}
	wrong += std::uncaught_exceptions() != 0 || std::current_exception() != nullptr;
	gort_wg_done(&wg);
}

struct Yields {
	~Yields()
	{
		gort_yield();
		wrong += std::uncaught_exceptions() != 1;
		gort_yield();
	}
};

static void yields_in_destructor(void *)
{
	try {
		Yields yields;
		throw 1;
	} catch (int) {
		wrong += std::uncaught_exceptions() != 0;
	}
	gort_wg_done(&wg);
}

static void clean(void *)
{
	wrong += std::uncaught_exceptions() != 0 || std::current_exception() != nullptr;
	gort_wg_done(&wg);
}

// A goroutine may end in the midst of one, which then stays in memory: no destructor runs. The leak
// check would say so.
static void exits_in_catch(void *)
{
	gort_wg_done(&wg);
#ifndef __SANITIZE_ADDRESS__
	try {
		throw 1;
	} catch (int) {
		gort_exit();
	}
#endif
}

static void across_parks()
{
	for (long round = 0; round < 200; round++) {
		gort_wg_add(&wg, 8);
		for (long i = 0; i < 3; i++)
			gort_go(rethrows, reinterpret_cast<void *>(round * 3 + i));
		gort_go(yields_in_destructor, nullptr);
		gort_go(yields_in_destructor, nullptr);
		gort_go(clean, nullptr);
		gort_go(exits_in_catch, nullptr);
		gort_go(clean, nullptr);
		gort_wg_wait(&wg);
	}
	check(wrong == 0, "each goroutine has its own exceptions");
}

static void yields(void *)
{
	wrong += std::current_exception() != nullptr;
	gort_yield();
	try {
		throw 2L;
	} catch (long) {
		gort_yield();
	}
}

static void *calls_back(void *)
{
	try {
		throw 1;
	} catch (int) {
		wrong += gort_callback(yields, nullptr) != 0;
		try {
			throw;
		} catch (int one) {
			wrong += one != 1;
		} catch (...) {
			wrong++;
		}
	}
	return nullptr;
}

static void across_callbacks()
{
	pthread_t t[4];

	for (auto &thread : t)
		pthread_create(&thread, nullptr, calls_back, nullptr);
	for (int i = 0; i < 1000; i++)
		gort_yield();
	for (auto &thread : t)
		pthread_join(thread, nullptr);
	check(wrong == 0, "and each thread that calls back");
}

// ---- out of the library's functions -------------------------------------------------------------

static std::string order;

static void note(void *text)
{
	order += static_cast<const char *>(text);
}

static void throws(void *what)
{
	gort_defer(note, const_cast<char *>("d"));
	Yields yields;
	if (what)
		throw std::runtime_error(static_cast<const char *>(what));
	throw 1;
}

static void throws_deeper(void *what)
{
	gort_defer(note, const_cast<char *>("o"));
	gort_try(throws, what, nullptr);
	order += "never";
}

static void panics(void *)
{
	gort_panic("after");
}

static void out_of_try()
{
	struct gort_panic p;
	bool caught = false;

	for (int i = 0; i < 3; i++) {
		order.clear();
		try {
			gort_try(throws_deeper, const_cast<char *>("one"), nullptr);
		} catch (const std::runtime_error &e) {
			caught = !strcmp(e.what(), "one");
			order += "c";
		}
	}
	check(caught && order == "doc",
	      "one that leaves gort_try goes on, after deferred functions");
	check(gort_try(panics, nullptr, &p) == 1 && !strcmp(p.msg, "after"),
	      "and its scope has ended");
}

static gort_once once;
static int runs, caught_once;

static void throws_once(void *)
{
	runs++;
	gort_yield();
	throw 7;
}

static void waits_for_once(void *)
{
	try {
		gort_once_do(&once, throws_once, nullptr);
	} catch (int seven) {
		caught_once += seven;
	}
	gort_wg_done(&wg);
}

// Whoever is first gets it; the others wait, and see it done.
static void out_of_once()
{
	gort_wg_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		gort_go(waits_for_once, nullptr);
	gort_wg_wait(&wg);
	gort_once_do(&once, throws_once, nullptr);
	check(caught_once == 7 && runs == 1,
	      "one that leaves gort_once_do goes on, and it counts as done");
	wrong = 0;
}

// ---- the end ------------------------------------------------------------------------------------

static void defers_throw(void *)
{
	gort_defer(throws, const_cast<char *>("late"));
}

static void defers_throw_and_panics(void *arg)
{
	defers_throw(arg);
	gort_panic("first");
}

static void throws_in_callback(void *)
{
	pthread_t t;

	pthread_create(
		&t, nullptr,
		[](void *) -> void * {
			try {
				gort_callback(throws, nullptr);
			} catch (...) {
				_exit(1);
			}
			return nullptr;
		},
		nullptr);
	gort_sleep(GORT_FOREVER);
}

static void from_goroutine(void *)
{
	gort_go(throws, const_cast<char *>("x"));
	gort_sleep(GORT_FOREVER);
}

static void from_blocking(void *)
{
	try {
		gort_blocking([](void *) { throw 1; }, nullptr);
	} catch (...) {
		_exit(1);
	}
}

static void from_deferred(void *)
{
	try {
		gort_try(defers_throw, nullptr, nullptr);
	} catch (...) {
		_exit(1);
	}
}

static void from_deferred_in_panic(void *)
{
	try {
		gort_try(defers_throw_and_panics, nullptr, nullptr);
	} catch (...) {
		_exit(1);
	}
}

static const struct {
	const char *name;
	void (*run)(void *);
	const char *says;
} deaths[] = {
	{ "goroutine", from_goroutine,
	  "exception St13runtime_error left the function of a goroutine" },
	{ "callback", throws_in_callback, "exception i left the function of a goroutine" },
	{ "blocking", from_blocking, "exception i left a function in gort_blocking" },
	{ "deferred", from_deferred, "left a deferred function" },
	{ "deferred in a panic", from_deferred_in_panic, "left a deferred function" },
};

static void dies(const char *name, const char *says)
{
	static char text[1 << 16];
	int fds[2], status = 0;
	size_t n = 0;
	ssize_t got;

	if (pipe(fds))
		abort();
	pid_t pid = fork();
	if (!pid) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl(self_path(), "test", name, nullptr);
		_exit(3);
	}
	close(fds[1]);
	while (n < sizeof(text) - 1 && (got = read(fds[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += static_cast<size_t>(got);
	text[n] = '\0';
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0)
		;
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 2 && strstr(text, says);
	if (!good)
		fprintf(stderr, "status %#x: %s\n", status, text);
	check(good, (std::string("fatal by name: ") + name).c_str());
}

static void run(void *)
{
	across_parks();
	across_callbacks();
	out_of_try();
	out_of_once();
	fflush(stdout);
}

int main(int argc, char **argv)
{
	for (const auto &d : deaths)
		if (argc > 1 && !strcmp(argv[1], d.name))
			return gort_main(d.run, nullptr);
	for (const auto &d : deaths)
		dies(d.name, d.says);
	if (gort_main(run, nullptr))
		return 1;
	return finish();
}
