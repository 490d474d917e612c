/*
 * Writes the runner's answers as frames of protocol.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_ANSWER_H
#define BACKWORKS_RUNNER_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "library/library.h"

/* Sends a frame whose payload is `length` bytes of `text`. */
void answer_text(uint8_t type, uint8_t detail, uint32_t id, int32_t value, const char *text,
                 size_t length);

/* Sends FAILED with an enum failure and the reason. */
void answer_failure(uint32_t id, uint8_t failure, const char *why);

/* Sends STATUS, with the library's error message when the status is not 0. */
void answer_status(const Library *library, uint32_t id, int32_t status);

/*
 * Sends REPLY, or EMPTY when `string` is NULL, with flags of enum answer_flag and the run time of the
 * function. Sends FAILED when the string is longer than `length_max` bytes.
 */
void answer_string(uint32_t id, uint8_t flags, const char *string, size_t length, size_t length_max,
                   int32_t took_ns);

/* Sends LOG without a line when lines were dropped and no LOG frame has reported them yet. */
void answer_dropped(void);

/* Sends REFUSED for each refusal that is due. */
void answer_refusals(void);

#endif
