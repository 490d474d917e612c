/*
 * The queue between the serving thread and the threads that run calls: first come, first begun.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_POOL_H
#define BACKWORKS_RUNNER_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames/frames.h"

/* A frame with a payload of its own. */
typedef struct Job {
    struct Job *next;
    FrameHeader header;
    int64_t arrived_us;
    const char *payload;
    char *memory; /* where the payload lies; NULL when it lies behind this struct */
    bool wanted;  /* what begin() said */
} Job;

/* What a thread does, with the `context` it was started with. */
typedef struct PoolWork {
    /* Called in the order in which the jobs came, one at a time. Returns: Job.wanted. */
    bool (*begin)(void *context, const FrameHeader *header);
    void (*run)(void *context, const Job *job);
} PoolWork;

/*
 * Starts `count` threads, each with its own context out of `contexts`, which lie `size` bytes apart.
 * Returns: NULL, or why one cannot be started; the process has to end then.
 */
const char *pool_start(const PoolWork *work, unsigned count, void *contexts, size_t size);

/* Whether there are threads. */
bool pool_is_open(void);

/*
 * Hands over the frame that input_next() gave; its payload is copied or taken out of the input. Waits
 * while the threads have as much as they may hold. Ends the process without memory.
 */
void pool_put(Input *input, const FrameHeader *header, const char *payload);

/* Waits until every frame that was handed over has been dealt with. */
void pool_drain(void);

#endif
