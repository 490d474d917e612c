/*
 * What the runner tells the server, as frames of protocol.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_ANSWER_H
#define BACKWORKS_RUNNER_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "library/library.h"

/* A frame whose payload is `length` bytes of `text`. */
void answer_text(uint8_t type, uint8_t detail, uint32_t id, int32_t value, const char *text,
                 size_t length);

/* FAILED: a failure of protocol.h and why. */
void answer_failure(uint32_t id, uint8_t failure, const char *why);

/* STATUS, with the library's words when it is not 0. */
void answer_status(const Library *library, uint32_t id, int32_t status);

/*
 * REPLY, or EMPTY for NULL, with flags of enum answer_flag and how long the function took; FAILED for a
 * string of more than `length_max` bytes.
 */
void answer_string(uint32_t id, uint8_t flags, const char *string, size_t length, size_t length_max,
                   int32_t took_ns);

/* LOG without a line, when lines of the plugin's were dropped and none has told so. */
void answer_dropped(void);

/* REFUSED for everything that was refused since the last time. */
void answer_refusals(void);

#endif
