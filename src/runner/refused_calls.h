/*
 * System calls the sandbox has refused: noted in a signal handler, read by the serving thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_REFUSED_CALLS_H
#define BACKWORKS_RUNNER_REFUSED_CALLS_H

#include <stdbool.h>

/* Notes a call by its number. Async-signal-safe. */
void refused_calls_note(int number);

/* Finds a call that was noted and not found before. False when there is none. */
bool refused_calls_next(int *number);

#endif
