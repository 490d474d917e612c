/*
 * Runs the hooks that frames ask for, and answers them.
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

/* What a thread needs to know to run hooks; each has its own. */
typedef struct Hooks {
    const Library *library;
    SharedPage *shared;
    RunningSlot *slot; /* of this thread */
    size_t reply_max;
    int64_t arrived_us; /* when the frame was read */
    int64_t flushed_us; /* when held back answers last left */
    int64_t begun_ns;   /* when the frame being handled was begun */
} Hooks;

/* Shows the server that a frame is begun. */
void hooks_begin(Hooks *hooks, const FrameHeader *header);

/* Most strings a BATCH carries. */
enum { BATCH_ARGUMENTS_MAX = 4 };

/* How many strings a BATCH of these steps carries, 0 when there is no such batch. */
size_t hooks_batch_arguments(unsigned steps);

/* CALL: one hook. */
void hooks_call(Hooks *hooks, const FrameHeader *header, const char *const *arguments);

/* BATCH: hooks of one request in a row, each answered by itself, as far as the answers allow. */
void hooks_batch(Hooks *hooks, const FrameHeader *header, const char *const *arguments);

/* Whether the server has taken a call back, and how that is answered. */
bool hooks_cancelled(const Hooks *hooks, uint32_t id);
void hooks_answer_cancelled(uint32_t id);

#endif
