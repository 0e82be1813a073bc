// SPDX-License-Identifier: MIT
// The figures of gort_micro.c that Boost.Fiber can show, measured the same way.
#include <boost/fiber/all.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

namespace fibers = boost::fibers;

static std::int64_t now()
{
	return std::chrono::steady_clock::now().time_since_epoch().count();
}

static void yields()
{
	const long n = 1000000;
	std::int64_t start = 0;

	for (int round = 0; round < 2; round++) {
		start = now();
		auto body = [] {
			for (long i = 0; i < n; i++)
				boost::this_fiber::yield();
		};
		fibers::fiber a(body), b(body);
		a.join();
		b.join();
	}
	std::printf("%.2f\n", double(now() - start) / (2.0 * n));
}

static void spawn()
{
	const int batch = 1000, batches = 30;
	std::int64_t start = 0;
	std::vector<fibers::fiber> all(batch);

	for (int i = -10; i < batches; i++) {
		if (i == 0)
			start = now();
		for (auto &f : all)
			f = fibers::fiber([] {});
		for (auto &f : all)
			f.join();
	}
	std::printf("%.1f\n", double(now() - start) / (double(batch) * batches));
}

static void trips()
{
	const long n = 300000;
	fibers::unbuffered_channel<long> ping, pong;
	std::int64_t start = 0;
	fibers::fiber other([&] {
		for (long v : ping)
			pong.push(v);
	});

	for (long i = -n / 10; i < n; i++) {
		long v;
		if (i == 0)
			start = now();
		ping.push(i);
		pong.pop(v);
	}
	std::printf("%.1f\n", double(now() - start) / n);
	ping.close();
	other.join();
}

static void mpmc()
{
	const long n = 2000000;
	std::int64_t start = 0;

	for (int round = 0; round < 2; round++) {
		start = now();
		fibers::buffered_channel<long> items(128);
		std::vector<fibers::fiber> producers, consumers;
		for (int i = 0; i < 4; i++) {
			consumers.emplace_back([&] {
				for (long v : items)
					(void)v;
			});
			producers.emplace_back([&] {
				for (long k = 0; k < n / 4; k++)
					items.push(k);
			});
		}
		for (auto &f : producers)
			f.join();
		items.close();
		for (auto &f : consumers)
			f.join();
	}
	std::printf("%.1f\n", double(now() - start) / n);
}

static void sleepers()
{
	const int n = 100000;
	std::vector<std::int64_t> late(n);
	std::vector<fibers::fiber> all;
	auto base = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);

	for (int i = 0; i < n; i++)
		// Small stacks: with its own default none of this fits a machine.
		all.emplace_back(
			std::allocator_arg, fibers::fixedsize_stack(16 << 10), [&late, base, i] {
				auto due = base + std::chrono::nanoseconds(i * 7919l % n *
									   (1000000000 / n));
				boost::this_fiber::sleep_until(due);
				late[i] = (std::chrono::steady_clock::now() - due).count();
			});
	for (auto &f : all)
		f.join();
	std::sort(late.begin(), late.end());
	std::printf("%ld %ld\n", long(late[n / 2]), long(late[n * 99l / 100]));
}

int main(int, char **argv)
{
	const struct {
		const char *name;
		void (*fn)();
	} benches[] = { { "yield", yields },
			{ "spawn", spawn },
			{ "trip", trips },
			{ "mpmc", mpmc },
			{ "sleepers", sleepers } };

	for (auto &b : benches)
		if (argv[1] && !std::strcmp(argv[1], b.name))
			b.fn();
}
