/*
 * How much of what a plugin logs through the host table leaves the process: the server says how many
 * bytes a second, in the shared page. Any thread may call these.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_LOG_RATE_H
#define BACKWORKS_RUNNER_LOG_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames/shared_page.h"

/* Where the rate stands. Called once; until then everything may leave. */
void log_rate_open(const SharedPage *shared);

/* Whether a line of `length` bytes may leave now; one that may not is counted as dropped. */
bool log_rate_admits(size_t length);

/* Bytes dropped since this was last asked. */
int32_t log_rate_take_dropped(void);

#endif
