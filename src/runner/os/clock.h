/*
 * The monotonic clock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_CLOCK_H
#define BACKWORKS_RUNNER_CLOCK_H

#include <stdint.h>

enum { CLOCK_NS_PER_US = 1000 };

/* Nanoseconds since some moment before the process began. */
int64_t clock_now_ns(void);

/* The same in microseconds. */
int64_t clock_now_us(void);

#endif
