/*
 * Limits how much of a plugin's log lines leaves the process. The server sets the rate in bytes a second
 * in the shared page. Any thread may call these functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_LOG_RATE_H
#define BACKWORKS_RUNNER_LOG_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames/shared_page.h"

/* Sets the page that holds the rate. Call once; before that, every line may leave. */
void log_rate_open(const SharedPage *shared);

/* True when a line of `length` bytes may leave now. Otherwise the line is counted as dropped. */
bool log_rate_admits(size_t length);

/* Returns the bytes dropped since the last call, and resets the count. */
int32_t log_rate_take_dropped(void);

#endif
