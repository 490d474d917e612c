/*
 * Shared libraries, loaded by the operating system. A library is never unloaded: the process ends
 * instead.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_DYLIB_H
#define BACKWORKS_RUNNER_DYLIB_H

#include <stdbool.h>
#include <stddef.h>

/* Any function. Convert it to its real type before calling it. */
typedef void (*DylibFunction)(void);

/* Loads the library and runs its constructors. Returns NULL on failure, with the reason in `why`. */
void *dylib_open(const char *path, char *why, size_t room);

/*
 * Loads the library from an open file, even if `path` now leads to another file. Afterwards every name
 * of the library is `path`. While its constructors run, dladdr() returns /proc/self/fd/N.
 */
void *dylib_open_descriptor(int descriptor, const char *path, char *why, size_t room);

/* True when `path` leads to the open file. */
bool dylib_is_file(int descriptor, const char *path);

/* Closes a descriptor from which no further library will be loaded. */
void dylib_close_descriptor(int descriptor);

/* The exported function of that name, or NULL. */
DylibFunction dylib_function(void *dylib, const char *name);

#endif
