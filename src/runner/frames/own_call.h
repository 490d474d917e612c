/*
 * The call that this thread is running. A thread that runs calls keeps here what the serving thread
 * keeps for the whole process.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_OWN_CALL_H
#define BACKWORKS_RUNNER_OWN_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "frames/shared_page.h"

typedef struct OwnCall {
    bool here;           /* this thread runs calls of its own */
    uint32_t id;         /* 0 between calls */
    int64_t deadline_us; /* as in host_table.h */
    const char *phase;   /* as in crash_report.h */
} OwnCall;

/* Signal handlers read it too. */
extern _Thread_local OwnCall own_call;

/* Sets the page in which own_call_record_end() records the call. Call once, before own_call_record_end(). */
void own_call_open(SharedPage *shared);

/*
 * Records this thread's call as the call that ends the process. Only the first record counts.
 * Async-signal-safe.
 */
void own_call_record_end(void);

#endif
