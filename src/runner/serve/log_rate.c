/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>

#include "os/clock.h"
#include "serve/log_rate.h"

/* Bytes that a line costs beyond its text, as the server counts; and how much unused time is saved up. */
enum { LINE_OVERHEAD = 64, US_PER_SECOND = 1000000, SAVED_UP_US = US_PER_SECOND };

static const SharedPage *page;
/* The lines that have left are paid for until this time: each costs its bytes / rate in seconds. */
static _Atomic int64_t paid_until_us;
static _Atomic uint32_t dropped;

void log_rate_open(const SharedPage *shared) {
    page = shared;
}

static void drop(size_t bytes) {
    uint32_t before = atomic_load(&dropped);
    uint32_t after;

    do {
        after = bytes < INT32_MAX - before ? before + (uint32_t)bytes : INT32_MAX;
    } while (!atomic_compare_exchange_weak(&dropped, &before, after));
}

bool log_rate_admits(size_t length) {
    uint32_t rate = page != NULL ? atomic_load_explicit(&page->log_rate, memory_order_relaxed) : 0;
    size_t bytes = length + LINE_OVERHEAD;
    int64_t now_us, paid_us, before_us, cost_us;

    if (rate == 0)
        return true;
    now_us = clock_now_us();
    cost_us = (int64_t)bytes * US_PER_SECOND / rate;
    before_us = atomic_load(&paid_until_us);
    do {
        paid_us = (before_us > now_us ? before_us : now_us) + cost_us;
        if (paid_us - now_us > SAVED_UP_US) {
            drop(bytes);
            return false;
        }
    } while (!atomic_compare_exchange_weak(&paid_until_us, &before_us, paid_us));
    return true;
}

int32_t log_rate_take_dropped(void) {
    if (atomic_load_explicit(&dropped, memory_order_relaxed) == 0)
        return 0;
    return (int32_t)atomic_exchange(&dropped, 0);
}
