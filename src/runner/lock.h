/*
 * The one lock of the runner. It guards the output, which plugin threads reach through the host
 * table.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_LOCK_H
#define BACKWORKS_RUNNER_LOCK_H

void lock_acquire(void);
void lock_release(void);

#endif
