/*
 * What the runner's bytes must look like to a server, written down a second time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_FUZZ_ANSWERS_H
#define BACKWORKS_FUZZ_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counts in a stream of the runner's. */
typedef struct Answers {
    size_t frames;
    size_t answers; /* frames that answer one of the server's */
    bool whole;     /* the stream ends where a frame ends */
} Answers;

/*
 * Reads the runner's stream and holds it against what the server sent: HELLO first, known types,
 * ids in the order of the server's frames. Aborts when it breaks the protocol.
 */
Answers check_answers(const uint8_t *stream, size_t length, const uint8_t *sent,
                      size_t sent_length);

/* Complete frames in what the server sent. */
size_t count_frames(const uint8_t *sent, size_t length);

#endif
