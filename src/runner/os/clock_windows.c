/* SPDX-License-Identifier: MIT */
#include <windows.h>

#include "os/clock.h"

int64_t clock_now_ns(void) {
    LARGE_INTEGER now;
    LARGE_INTEGER frequency;

    (void)QueryPerformanceCounter(&now);
    (void)QueryPerformanceFrequency(&frequency);
    /* Whole seconds are converted separately, so that the product cannot overflow. */
    return now.QuadPart / frequency.QuadPart * 1000000000 +
           now.QuadPart % frequency.QuadPart * 1000000000 / frequency.QuadPart;
}

int64_t clock_now_us(void) {
    return clock_now_ns() / CLOCK_NS_PER_US;
}
