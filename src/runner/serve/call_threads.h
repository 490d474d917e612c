/*
 * Threads that run calls, for a library that is thread-safe.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_CALL_THREADS_H
#define BACKWORKS_RUNNER_CALL_THREADS_H

#include "serve/hooks.h"

/*
 * Starts `count` threads, at most THREADS_MAX, that run the calls given to pool_put(). With at least one
 * thread, answers leave at once from then on.
 * Returns: NULL, or why a thread cannot be started; the process must then end
 */
const char *call_threads_start(const Hooks *hooks, unsigned count);

#endif
