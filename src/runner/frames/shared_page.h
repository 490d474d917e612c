/*
 * The memory shared with the server, descriptor 4: what it can still read when this process has been
 * killed. Without that descriptor the page is private and the server learns nothing from it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SHARED_PAGE_H
#define BACKWORKS_RUNNER_SHARED_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

/* What a thread is in: the frame whose function it entered last. */
typedef struct RunningSlot {
    _Atomic uint32_t id;
    _Atomic uint32_t thread;
    _Atomic uint64_t begun_us;
} RunningSlot;

/* Slot 0 and one for each thread. */
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
 * Maps descriptor 4 and closes it, so that no plugin can shrink the file below the mapping. Called
 * once, before anything of a plugin. Ends the process without memory.
 */
SharedPage *shared_page_map(void);

#endif
