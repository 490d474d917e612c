/*
 * Runs the hooks that frames name, and answers them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_HOOKS_H
#define BACKWORKS_RUNNER_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "frames/frame_header.h"
#include "library/library.h"
#include "frames/shared_page.h"

/* What a thread needs to run hooks; each thread has its own. */
typedef struct Hooks {
    const Library *library;
    SharedPage *shared;
    RunningSlot *slot; /* of this thread */
    size_t reply_max;
    int64_t arrived_us; /* when the frame was read */
    int64_t flushed_us; /* when buffered answers were last sent */
    int64_t begun_ns;   /* when the current frame was begun */
} Hooks;

/* Records in the shared page that the frame has begun. */
void hooks_begin(Hooks *hooks, const FrameHeader *header);

/* The largest number of strings in a BATCH. */
enum { BATCH_ARGUMENTS_MAX = 4 };

/* How many strings a BATCH of these steps has; 0 when there is no such batch. */
size_t hooks_batch_arguments(unsigned steps);

/* Handles CALL: runs one hook. */
void hooks_call(Hooks *hooks, const FrameHeader *header, const char *const *arguments);

/* Handles BATCH: runs hooks of one request in order until an answer ends the batch. */
void hooks_batch(Hooks *hooks, const FrameHeader *header, const char *const *arguments);

/* Whether the server has cancelled a call, and the answer to a cancelled call. */
bool hooks_cancelled(const Hooks *hooks, uint32_t id);
void hooks_answer_cancelled(uint32_t id);

#endif
