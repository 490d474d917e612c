/*
 * What the system has refused the plugin: noted where it happens, read after the call. This only
 * reports; the sandbox is what refuses.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_REFUSALS_H
#define BACKWORKS_RUNNER_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

enum { REFUSAL_OBJECT_MAX = 255 };

typedef struct Refusal {
    enum permission permission; /* which would have allowed it */
    const char *function;       /* name of the function or system call; lives forever */
    const char *object;         /* path or port; "" when there is none; lives forever */
    uint32_t times;             /* since it was last told */
} Refusal;

/* A system call that traps within an interposed function is told of by that, which knows more. */
extern _Thread_local bool refusal_is_told_by_function;

/* From now on refusals are noted: the sandbox is in force. */
void refusals_begin(void);

/* True once the sandbox is in force. */
bool refusals_are_noted(void);

/*
 * Notes a refusal, if they are noted; `function` must live forever, `object` is copied and cut.
 * Leaves errno as it is. Async-signal-safe, on any thread.
 */
void refusals_note(enum permission permission, const char *function, const char *object);

/* The same for an object that is a number; below 0 for none. */
void refusals_note_number(enum permission permission, const char *function, long number);

/*
 * Finds a refusal that is to be told: each when it is new, and again whenever it has happened four
 * times as often. False when there is none, which costs next to nothing, or another thread is asking.
 */
bool refusals_next(Refusal *refusal);

#endif
