/*
 * The queue between the serving thread and the call threads; jobs begin in the order they came.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_POOL_H
#define BACKWORKS_RUNNER_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames/frames.h"

/* A frame that owns its payload. */
typedef struct Job {
    struct Job *next;
    FrameHeader header;
    int64_t arrived_us;
    const char *payload;
    char
        *memory; /* to be freed with the payload in it; NULL when the payload follows this struct */
    bool wanted; /* the result of begin() */
} Job;

/* What a thread does with its `context`. */
typedef struct PoolWork {
    /* Called for one job at a time, in the order in which jobs came. Returns: Job.wanted. */
    bool (*begin)(void *context, const FrameHeader *header);
    void (*run)(void *context, const Job *job);
} PoolWork;

/*
 * Starts `count` threads. `contexts` holds one context for each thread, `size` bytes apart.
 * Returns: NULL, or why a thread cannot be started; the process must then end
 */
const char *pool_start(const PoolWork *work, unsigned count, void *contexts, size_t size);

/* True when there are threads. */
bool pool_is_open(void);

/*
 * Queues the frame that input_next() returned. The payload is copied, or taken out of the input. Waits
 * while the queue holds as much as it may. Ends the process when memory runs out.
 */
void pool_put(Input *input, const FrameHeader *header, const char *payload);

/* Waits until every queued frame has been handled. */
void pool_drain(void);

#endif
