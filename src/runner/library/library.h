/*
 * A plugin's library: what it exports, and how its functions are called.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_LIBRARY_H
#define BACKWORKS_RUNNER_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../../native-sdk/include/backworks_plugin.h"

/* The largest number of arguments any hook takes. */
enum { HOOK_ARGUMENTS_MAX = 3 };

typedef struct Library {
    PluginInfo info; /* no member is NULL */
    PluginVTable vtable;
    BackworksExtensions extensions; /* members beyond the end of the library's table are NULL */
    const char *manifest;           /* NULL when the library has none */
    uint32_t functions;             /* enum function_bit */
} Library;

/* Why a library cannot be used: an enum failure, and a sentence. */
typedef struct LibraryFailure {
    uint8_t kind;
    char text[1024];
} LibraryFailure;

/*
 * Loads the library, reads its description, and closes descriptor 7. `from` is an enum load_from.
 * Returns false, with the reason in `failure`, when the library cannot be used.
 */
bool library_open(Library *library, const char *path, unsigned from, LibraryFailure *failure);

/* Passes the host table to bind_host(), if the library exports it. False, and why, when it refuses. */
bool library_bind_host(const Library *library, const BackworksHost *host, LibraryFailure *failure);

/* True when the library has that function or flag (enum function_bit). */
bool library_has(const Library *library, uint32_t function);

/* The function_bit of an existing hook. */
uint32_t library_hook_function(unsigned hook);

/* How many arguments a hook takes; 0 when there is no such hook. */
size_t library_hook_arguments(unsigned hook);

/* The name of an existing hook, as in the plugin ABI. */
const char *library_hook_name(unsigned hook);

/* Calls a hook the library has. Pass the returned string to library_free_string(). */
const char *library_call(const Library *library, unsigned hook, const char *const *arguments);

/* Gives a hook's string back to the library, if it exports free_string(). */
void library_free_string(const Library *library, const char *string);

/* The library's error message for its last function, or NULL. */
const char *library_last_error(const Library *library);

#endif
