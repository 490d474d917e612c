/*
 * Records the operations that the sandbox refused: noted where they happen, reported after the call.
 * Recording changes nothing; the sandbox does the refusing.
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
    enum permission permission; /* the permission that would have allowed the operation */
    const char *function;       /* name of the function or system call; lives forever */
    const char *object;         /* path or port; "" when there is none; lives forever */
    uint32_t times;             /* since the refusal was last reported */
} Refusal;

/* True inside an interposed function, which reports refusals itself because it knows more. */
extern _Thread_local bool refusal_is_reported_by_function;

/* Starts recording. Called when the sandbox is active. */
void refusals_begin(void);

/* True once refusals_begin() was called. */
bool refusals_are_recorded(void);

/*
 * Records a refusal, after refusals_begin(). `function` must live forever; `object` is copied and cut to
 * REFUSAL_OBJECT_MAX bytes. Leaves errno unchanged. Async-signal-safe, on any thread.
 */
void refusals_note(enum permission permission, const char *function, const char *object);

/* The same for an object that is a number; a number below 0 means no object. */
void refusals_note_number(enum permission permission, const char *function, long number);

/*
 * Finds a refusal to report: a refusal is due when it is new, and each time its count has grown to four
 * times the last reported count. False when none is due (this check is cheap) or another thread is asking.
 */
bool refusals_next(Refusal *refusal);

#endif
