/*
 * The memory shared with the server (descriptor 4). The server can read it after this process was killed.
 * Without that descriptor the page is private and the server reads nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SHARED_PAGE_H
#define BACKWORKS_RUNNER_SHARED_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

/* The frame whose function a thread entered last. */
typedef struct RunningSlot {
    _Atomic uint32_t id;
    _Atomic uint32_t thread;
    _Atomic uint64_t begun_us;
} RunningSlot;

/* Slot 0 is the serving thread's; each call thread has one more. */
enum { RUNNING_SLOTS = 1 + THREADS_MAX };

/* Laid out as protocol.h says. */
typedef struct SharedPage {
    _Atomic uint32_t begun;
    uint32_t reserved;
    _Atomic uint64_t produced;
    uint64_t unused;
    _Atomic uint32_t log_rate;
    _Atomic uint32_t ended_by;
    unsigned char unused_too[SHARED_RUNNING - 32];
    RunningSlot running[RUNNING_SLOTS];
    unsigned char
        unused_rest[SHARED_CANCELLED - SHARED_RUNNING - RUNNING_SLOTS * RUNNING_SLOT_SIZE];
    _Atomic uint32_t cancelled[CANCEL_SLOTS];
    char ring[ANSWER_RING_SIZE];
} SharedPage;

/*
 * Maps descriptor 4 and then closes it, so that no plugin can truncate the file under the mapping.
 * Call once, before any code of a plugin runs. Ends the process when memory runs out.
 */
SharedPage *shared_page_map(void);

#endif
