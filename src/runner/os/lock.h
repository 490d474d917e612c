/*
 * The runner's only lock. It guards the output, which threads of the plugin reach through the host
 * table.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_LOCK_H
#define BACKWORKS_RUNNER_LOCK_H

#include <stdbool.h>

void lock_acquire(void);

/*
 * Tries for `milliseconds` to get the lock. False when another thread holds it all that time. For a
 * signal handler: unlike lock_acquire(), it never waits without limit.
 */
bool lock_try(int milliseconds);

void lock_release(void);

#endif
