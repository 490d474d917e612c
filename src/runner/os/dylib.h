/*
 * Shared libraries as the operating system loads them. A library is never unloaded: the process
 * ends instead.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_DYLIB_H
#define BACKWORKS_RUNNER_DYLIB_H

#include <stdbool.h>
#include <stddef.h>

/* Any function; converted to its real type before it is called. */
typedef void (*DylibFunction)(void);

/* Loads the library, running its constructors. Returns NULL and says why in `why` on failure. */
void *dylib_open(const char *path, char *why, size_t room);

/*
 * The same for an open file, whatever lies at `path` by now. Everything that names the library afterwards
 * says `path`; while its constructors run, dladdr() says /proc/self/fd/N.
 */
void *dylib_open_descriptor(int descriptor, const char *path, char *why, size_t room);

/* True while `path` leads to the open file. */
bool dylib_is_file(int descriptor, const char *path);

/* Closes a descriptor that no library is to be loaded from any more. */
void dylib_close_descriptor(int descriptor);

/* The exported function of that name, or NULL. */
DylibFunction dylib_function(void *dylib, const char *name);

#endif
