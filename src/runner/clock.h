/*
 * Time that only moves forward.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_CLOCK_H
#define BACKWORKS_RUNNER_CLOCK_H

#include <stdint.h>

/* Microseconds since some moment before the process began. */
int64_t clock_now_us(void);

#endif
