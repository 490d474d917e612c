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

/* Arguments the hook with the most of them takes. */
enum { HOOK_ARGUMENTS_MAX = 3 };

typedef struct Library {
    PluginInfo info; /* no member is NULL */
    PluginVTable vtable;
    BackworksExtensions extensions; /* members that the library's table does not reach are NULL */
    const char *manifest;           /* NULL when there is none */
    uint32_t functions;             /* enum function_bit */
} Library;

/* Why a library cannot be used: an enum failure, and a sentence. */
typedef struct LibraryFailure {
    uint8_t kind;
    char text[1024];
} LibraryFailure;

/*
 * Loads the library and asks who it is, then closes descriptor 7. `from` is an enum load_from. False, and
 * why, when it cannot be used.
 */
bool library_open(Library *library, const char *path, unsigned from, LibraryFailure *failure);

/* Hands the host table to a library that wants it. False, and why, when the library refuses it. */
bool library_bind_host(const Library *library, const BackworksHost *host, LibraryFailure *failure);

/* True when the library has that function or flag. */
bool library_has(const Library *library, uint32_t function);

/* The function_bit of a hook. */
uint32_t library_hook_function(unsigned hook);

/* How many arguments a hook takes, 0 when there is no such hook. */
size_t library_hook_arguments(unsigned hook);

/* The name of an existing hook, as the server calls it. */
const char *library_hook_name(unsigned hook);

/* Calls a hook the library has. A string that is returned goes to library_free_string(). */
const char *library_call(const Library *library, unsigned hook, const char *const *arguments);

/* Hands a hook's string back to a library that wants it. */
void library_free_string(const Library *library, const char *string);

/* The library's words for the failure of its last function, or NULL. */
const char *library_last_error(const Library *library);

#endif
