/*
 * Which call this thread works on, where several threads do: what the serving thread keeps for the
 * process, such a thread keeps for itself.
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

/* Read by signal handlers, too. */
extern _Thread_local OwnCall own_call;

/* Where the call is told whose thread ends the process. Called once, before own_call_blame(). */
void own_call_open(SharedPage *shared);

/* This thread is about to end the process; the first one says so. Async-signal-safe. */
void own_call_blame(void);

#endif
