// SPDX-License-Identifier: MIT
// What a test of one file reports: a line for each check, then how many there were.
#ifndef TESTS_RUNTIME_TAP_H
#define TESTS_RUNTIME_TAP_H

#include <stdbool.h>
#include <stdio.h>

static int checks, failed;

__attribute__((unused)) static void check(bool ok, const char *name)
{
	printf("%s - %s\n", ok ? "ok" : "not ok", name);
	checks++;
	failed |= !ok;
}

__attribute__((unused)) static void skip(const char *name, const char *reason)
{
	printf("ok - %s # SKIP %s\n", name, reason);
	checks++;
}

// The exit status. A test that ends elsewhere has printed no plan, and that is a failure.
static int finish(void)
{
	printf("1..%d\n", checks);
	return failed;
}

#endif
