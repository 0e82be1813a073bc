// SPDX-License-Identifier: MIT
// Scope guards: a resource declared with one of these is released when its scope ends.
// Ownership leaves a scope only through return_ptr() or take_ptr().
#ifndef DEBUGGER_BASE_CLEANUP_H
#define DEBUGGER_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}
static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}
static inline void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define _cleanup_free_	   _cleanup_(cleanup_free)
#define _cleanup_close_	   _cleanup_(cleanup_close)
#define _cleanup_fclose_   _cleanup_(cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

// The pointer, leaving NULL in the guarded variable.
#define take_ptr(p)                       \
	({                                \
		__auto_type taken_ = (p); \
		(p) = NULL;               \
		taken_;                   \
	})
#define return_ptr(p) return take_ptr(p)

#endif
