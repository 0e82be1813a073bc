#!/bin/sh
# SPDX-License-Identifier: MIT
# A user's program with a sanitizer and the library without: ASan is told of the stacks all the same, and a
# program with TSan, which would only report nonsense, does not link and says why.
set -u
B=${B:-$PWD/build/release}
CC=${CC:-cc}
echo 1..3
case "${SAN:-}" in
?*)
	for i in 1 2 3; do echo "ok $i # SKIP the library is built with a sanitizer itself"; done
	exit 0
	;;
esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/user.c" <<'C'
#include <gort.h>
#include <stdio.h>
#include <string.h>
static gort_chan *done;
// Instrumented frames on many stacks, left by a switch, by a return and by a panic.
static void worker(void *arg)
{
	char text[256];
	long n = (long)arg;
	memset(text, 1, sizeof(text));
	gort_yield();
	n += text[n % 256] - 1;
	gort_send(done, &n);
}
static void panics(void *arg)
{
	char text[512];
	memset(text, 0, sizeof(text));
	gort_panic("on purpose%s", text + (long)arg);
}
static char *seen;
// A frame of its own: those that were there before a panic are not watched any more.
__attribute__((noinline)) static void overflows(void *arg)
{
	char mine[8];
	memset(mine, 0, sizeof(mine));
	seen = mine;
	gort_yield();
	printf("%d\n", mine[*(long *)arg]);
}
static void run(void *arg)
{
	struct gort_panic panic;
	long n, sum = 0;
	done = gort_chan_make(sizeof(n), 4);
	for (long i = 0; i < 10000; i++)
		gort_go(worker, (void *)i);
	for (long i = 0; i < 10000; i++) {
		gort_recv(done, &n);
		sum += n;
	}
	for (int i = 0; i < 100; i++)
		sum += gort_try(panics, (void *)511, &panic);
	printf("%ld\n", sum);
	fflush(stdout);
	if (arg)
		overflows(&(long){ 8 });
}
int main(int argc, char **argv)
{
	return gort_main(run, argc > 1 ? argv[1] : NULL);
}
C
build() {
	$CC -g -O1 "$@" -o "$dir/user" "$dir/user.c" \
		$(PKG_CONFIG_PATH=$B pkg-config --cflags gort) $(PKG_CONFIG_PATH=$B pkg-config --libs gort) 2>&1
}
tell() {
	if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2"; fi
}

out=$(build -fsanitize=address && "$dir/user" 2>&1)
[ "$out" = 49995100 ]
tell $? "1 - ASan has nothing to say"
"$dir/user" bad 2>&1 | grep -q 'stack-buffer-overflow'
tell $? "2 - ASan finds an overflow on a goroutine's stack"
out=$(build -fsanitize=thread)
echo "$out" | grep -q 'undefined reference.*gort_main_for_thread_sanitizer'
tell $? "3 - TSan without a library for it does not link"
