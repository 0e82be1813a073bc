// SPDX-License-Identifier: MIT
// Init files: the system's, a person's own, and a project's when that person trusts it as it is.
#ifndef DEBUGGER_FRONT_SHELL_TRUST_H
#define DEBUGGER_FRONT_SHELL_TRUST_H

#include <stdbool.h>
#include <stddef.h>

enum { TRUST_PATH_MAX = 4096 };

// A file that commands are taken from without being asked for must be ours, or root's, and writable
// by nobody else; as root only root's files count. why: a reason for the user.
bool trust_is_ours(int fd, const char **why);
// Whether the file's present text was trusted; fd is left at its beginning.
bool trust_has(int fd, const char *path);
// Trusts the file as it is. False and errno.
bool trust_add(int fd, const char *path);
// $XDG_CONFIG_HOME/debugcall/NAME. False: there is no home.
bool trust_config_path(const char *name, char path[TRUST_PATH_MAX]);

#endif
