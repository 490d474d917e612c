/*
 * Shared libraries as the operating system loads them. A library is never unloaded: the process
 * ends instead.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_DYLIB_H
#define BACKWORKS_RUNNER_DYLIB_H

#include <stddef.h>

/* Any function; converted to its real type before it is called. */
typedef void (*DylibFunction)(void);

/* Loads the library, running its constructors. Returns NULL and says why in `why` on failure. */
void *dylib_open(const char *path, char *why, size_t room);

/* The exported function of that name, or NULL. */
DylibFunction dylib_function(void *dylib, const char *name);

#endif
