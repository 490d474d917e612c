/*
 * Threads that run calls, for a library that allows it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_CALL_THREADS_H
#define BACKWORKS_RUNNER_CALL_THREADS_H

#include "serve/hooks.h"

/*
 * Starts `count` threads, at most THREADS_MAX, that run what pool_put() hands over. Where there are any,
 * answers leave at once from then on.
 * Returns: NULL, or why one cannot be started; the process has to end then.
 */
const char *call_threads_start(const Hooks *hooks, unsigned count);

#endif
