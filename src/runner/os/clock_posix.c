/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include <time.h>

#include "os/clock.h"

int64_t clock_now_ns(void) {
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_now_us(void) {
    return clock_now_ns() / CLOCK_NS_PER_US;
}
