/*
 * The one lock of the runner. It guards the output, which plugin threads reach through the host
 * table.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_LOCK_H
#define BACKWORKS_RUNNER_LOCK_H

#include <stdbool.h>

void lock_acquire(void);

/*
 * False when another thread keeps it for so long. For a signal handler: nothing in it waits for a
 * thread.
 */
bool lock_try(int milliseconds);

void lock_release(void);

#endif
