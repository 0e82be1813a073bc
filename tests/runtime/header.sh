#!/bin/sh
# SPDX-License-Identifier: MIT
# gort.h is clean in strict C and C++, is what the library exports, and gort.pc builds programs in both languages, with
# the archive and with the shared library.
set -u
B=${B:-$PWD/build/release}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0

# tell NAME STATUS
tell() {
	n=$((n + 1))
	if [ "$2" = 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

# The library of a sanitized build wants the sanitizer's own.
case "${SAN:-}" in
?*) sanitize=-fsanitize=$SAN ;;
*) sanitize= ;;
esac

cat >"$dir/alone.c" <<'C'
#include <gort.h>
int main(void);
int main(void)
{
	return 0;
}
C
cp "$dir/alone.c" "$dir/alone.cc"
strict() { # COMPILER STANDARD FILE
	name="$1 $2 -Wall -Wextra -pedantic takes gort.h"
	if ! command -v "$1" >/dev/null; then
		skip "$name" "$1 is not installed"
		return
	fi
	out=$("$1" "$2" -Wall -Wextra -pedantic-errors -Werror -fsyntax-only -Iruntime "$dir/$3" 2>&1)
	[ -z "$out" ] || echo "$out" | sed 's/^/# /'
	tell "$name" ${#out}
}
strict gcc -std=c11 alone.c
strict gcc -std=gnu17 alone.c
strict clang -std=c11 alone.c
strict g++ -std=c++11 alone.cc
strict g++ -std=c++20 alone.cc
strict clang++ -std=c++17 alone.cc

grep -v '^//' runtime/gort.h | grep -o 'gort_[a-z0-9_]*(' | tr -d '(' | sort -u >"$dir/declared"
nm -D --defined-only "$B/libgort.so" | awk '{ sub(/@.*/, "", $3); print $3 }' | grep '^gort_' | sort -u >"$dir/exported"
comm -13 "$dir/declared" "$dir/exported" | grep -v '^gort_main_for_' | sed 's/^/# exported only: /' >"$dir/more"
comm -23 "$dir/declared" "$dir/exported" | sed 's/^/# declared only: /' >"$dir/less"
cat "$dir/more" "$dir/less"
[ ! -s "$dir/more" ] && [ ! -s "$dir/less" ]
tell "the shared library exports what the header declares" $?

cat >"$dir/user.c" <<'C'
#include <gort.h>
#include <stdio.h>
static gort_chan *numbers;
static void adds(void *arg)
{
	long n, sum = 0;
	while (!gort_recv(numbers, &n))
		sum += n;
	*(long *)arg = sum;
}
static void run(void *arg)
{
	static gort_wg none;
	long i, sum = -1;
	(void)arg;
	numbers = gort_chan_make(sizeof(long), 4);
	gort_go(adds, &sum);
	for (i = 1; i <= 100; i++)
		gort_send(numbers, &i);
	gort_close(numbers);
	while (sum < 0)
		gort_yield();
	gort_wg_wait(&none);
	gort_chan_release(numbers);
	printf("%ld\n", sum);
}
int main(void)
{
	return gort_main(run, NULL);
}
C
cp "$dir/user.c" "$dir/user.cc"
builds() { # NAME COMPILER FILE LIBRARIES
	rm -f "$dir/user"
	out=$($2 $sanitize $(PKG_CONFIG_PATH=$B pkg-config --cflags gort) -o "$dir/user" "$dir/$3" $4 2>&1 &&
		"$dir/user" 2>&1)
	[ "$out" = 5050 ] || echo "$out" | sed 's/^/# /'
	[ "$out" = 5050 ]
	tell "$1" $?
}
if command -v pkg-config >/dev/null; then
	# As runtime/README.md says.
	static=$(PKG_CONFIG_PATH=$B pkg-config --static --libs gort)
	builds "a C program, pkg-config --static" gcc user.c "$static"
	builds "a C program, pkg-config" gcc user.c "$(PKG_CONFIG_PATH=$B pkg-config --libs gort)"
	builds "a C program with the archive" gcc user.c "$B/libgort.a -pthread"
	builds "a C++ program, pkg-config --static" g++ user.cc "$static"
	builds "a C++ program with the archive" g++ user.cc "$B/libgort.a -pthread"
else
	skip "programs" "pkg-config is not installed"
fi
echo "1..$n"
