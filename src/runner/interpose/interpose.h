/*
 * Functions of the C library that the runner puts itself in front of: a library it loads finds the
 * runner's, which call the C library's and look at how it went. The sandbox refuses some system calls
 * with a plain error, and no other place in the process learns of it. Each does exactly what the
 * function behind it does.
 *
 * Include it first: it asks for each declaration under its own name, without inline versions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_INTERPOSE_H
#define BACKWORKS_RUNNER_INTERPOSE_H

/* A file that defines _DEFAULT_SOURCE gets by without the declarations that are GNU's own. */
#ifndef _DEFAULT_SOURCE
#define _GNU_SOURCE
#endif
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sandbox/refusals.h"

/* Seen by the libraries that are loaded, together with interposed.list. */
#define INTERPOSED __attribute__((visibility("default")))

static inline bool was_refused(void) {
    return errno == EPERM || errno == EACCES;
}

/* Puts the function behind the interposed one into the pointer at `function`, NULL if there is none. */
void find_behind(void *function, const char *name);

#define BEHIND(name)                                                                               \
    static __typeof__(&name) name##_behind;                                                        \
    __attribute__((constructor)) static void find_##name(void) {                                   \
        find_behind(&name##_behind, #name);                                                        \
    }

/* Defines a function whose result `outcome` says with `refused` that it failed for want of a right. */
#define INTERPOSE(result, name, parameters, arguments, refused, note)                              \
    BEHIND(name)                                                                                   \
    INTERPOSED result name parameters {                                                            \
        bool outer = refusal_is_told_by_function;                                                  \
        result outcome;                                                                            \
                                                                                                   \
        if (name##_behind == NULL)                                                                 \
            find_##name();                                                                         \
        refusal_is_told_by_function = true;                                                        \
        outcome = name##_behind arguments;                                                         \
        refusal_is_told_by_function = outer;                                                       \
        if (__builtin_expect(refused, 0))                                                          \
            note;                                                                                  \
        return outcome;                                                                            \
    }

#endif
