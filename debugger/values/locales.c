// SPDX-License-Identifier: MIT
// Locales of our own, made once.
#include "debugger/values/locales.h"

#include <pthread.h>

static locale_t plain, unicode;

static void make(void)
{
	plain = newlocale(LC_ALL_MASK, "C", NULL);
	unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
}

static void make_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make);
}

locale_t locale_plain(void)
{
	make_once();
	return plain;
}

locale_t locale_unicode(void)
{
	make_once();
	return unicode;
}
