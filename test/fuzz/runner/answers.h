/*
 * Checks the runner's stream from the server's side, independently of the runner's code.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_FUZZ_ANSWERS_H
#define BACKWORKS_FUZZ_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counts of a stream from the runner. */
typedef struct Answers {
    size_t frames;
    size_t answers; /* frames that answer a frame of the server */
    bool whole;     /* the stream ends where a frame ends */
} Answers;

/*
 * Checks the runner's stream against the server's: HELLO comes first, types are known, and answers follow the
 * order of the server's frames. Aborts when the stream breaks the protocol.
 */
Answers check_answers(const uint8_t *stream, size_t length, const uint8_t *sent,
                      size_t sent_length);

/* The number of complete frames in the server's stream. */
size_t count_frames(const uint8_t *sent, size_t length);

#endif
