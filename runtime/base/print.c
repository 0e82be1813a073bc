// SPDX-License-Identifier: MIT
// printf for places where stdio may not go.
#include "runtime/base/print.h"
#include "runtime/base/raw.h"
#include "runtime/base/sigpipe.h"

#include <unistd.h>

struct out {
	char *buf;
	size_t room, len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->room)
		o->buf[o->len] = c;
	o->len++;
}

static void put_number(struct out *o, uint64_t v, unsigned base, bool minus, int width, char pad)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (minus && pad == '0')
		put(o, '-');
	for (int i = n + minus; i < width; i++)
		put(o, pad);
	if (minus && pad != '0')
		put(o, '-');
	while (n)
		put(o, digits[--n]);
}

static void put_string(struct out *o, const char *s, int width)
{
	int n = 0;

	for (s = s ? s : "(null)"; *s; s++, n++)
		put(o, *s);
	for (; n < width; n++)
		put(o, ' ');
}

size_t gort__vformat(char *buf, size_t n, const char *fmt, va_list ap)
{
	struct out o = { buf, n, 0 };

	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		char pad = ' ';
		int width = 0, longs = 0;
		fmt++;
		if (*fmt == '0')
			pad = *fmt++;
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (*fmt - '0');
		for (; *fmt == 'l' || *fmt == 'z' || *fmt == 'j'; fmt++)
			longs++;
		switch (*fmt) {
		case 'd':
		case 'i': {
			int64_t v = longs ? va_arg(ap, int64_t) : va_arg(ap, int);
			put_number(&o, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0, width, pad);
			break;
		}
		case 'u':
		case 'x': {
			uint64_t v = longs ? va_arg(ap, uint64_t) : va_arg(ap, unsigned);
			put_number(&o, v, *fmt == 'u' ? 10 : 16, false, width, pad);
			break;
		}
		case 'p':
			put(&o, '0');
			put(&o, 'x');
			put_number(&o, (uintptr_t)va_arg(ap, void *), 16, false, width, '0');
			break;
		case 'c': put(&o, (char)va_arg(ap, int)); break;
		case 's': put_string(&o, va_arg(ap, const char *), width); break;
		case '%': put(&o, '%'); break;
		default:
			// The directive is printed as it is; a NUL ends the format.
			put(&o, '%');
			if (!*fmt)
				fmt--;
			else
				put(&o, *fmt);
		}
	}
	if (n)
		buf[o.len < n ? o.len : n - 1] = '\0';
	return o.len;
}

size_t gort__format(char *buf, size_t n, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	len = gort__vformat(buf, n, fmt, ap);
	va_end(ap);
	return len;
}

void gort__print(const char *fmt, ...)
{
	char buf[1024];
	struct gort__sigpipe held;
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	len = gort__vformat(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (len >= sizeof(buf))
		len = sizeof(buf) - 1;
	// Raw: errno belongs to the goroutine, and nothing helps when stderr is closed. That nobody
	// reads it must not end the process, nor change how it ends.
	gort__sigpipe_hold(&held);
	gort__raw(SYS_write, STDERR_FILENO, (long)buf, (long)len, 0, 0, 0);
	gort__sigpipe_release(&held);
}
