/*
 * Interposed functions of the C library. A library that the runner loads binds to the runner's versions,
 * which call the C library and then look at the result. They behave exactly like the functions behind
 * them. They exist because the sandbox refuses some system calls with a plain error, which the runner
 * could not notice and report otherwise.
 *
 * Include this header first: it needs each declaration under its own name, without inline versions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_INTERPOSE_H
#define BACKWORKS_RUNNER_INTERPOSE_H

/* A file that defines _DEFAULT_SOURCE cannot use the GNU declarations (see interposed_network.c). */
#ifndef _DEFAULT_SOURCE
#define _GNU_SOURCE
#endif
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sandbox/refusals.h"

/* Exported to the libraries that are loaded; interposed.list must name the function too. */
#define INTERPOSED __attribute__((visibility("default")))

static inline bool was_refused(void) {
    return errno == EPERM || errno == EACCES;
}

/* Stores the next definition of the function at `function`, or NULL when there is none. */
void find_next(void *function, const char *name);

#define NEXT(name)                                                                                 \
    static __typeof__(&name) name##_next;                                                          \
    __attribute__((constructor)) static void find_##name(void) {                                   \
        find_next(&name##_next, #name);                                                            \
    }

/* Defines an interposed function. `refused` is true when `outcome` means a missing permission. */
#define INTERPOSE(result, name, parameters, arguments, refused, note)                              \
    NEXT(name)                                                                                     \
    INTERPOSED result name parameters {                                                            \
        bool outer = refusal_is_reported_by_function;                                              \
        result outcome;                                                                            \
                                                                                                   \
        if (name##_next == NULL)                                                                   \
            find_##name();                                                                         \
        refusal_is_reported_by_function = true;                                                    \
        outcome = name##_next arguments;                                                           \
        refusal_is_reported_by_function = outer;                                                   \
        if (__builtin_expect(refused, 0))                                                          \
            note;                                                                                  \
        return outcome;                                                                            \
    }

#endif
