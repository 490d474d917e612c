/*
 * Handles text from a plugin, which may be malformed UTF-8.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_TEXT_H
#define BACKWORKS_RUNNER_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Length of the text, or `max` + 1 when it is longer than `max`. Reads no further than that. */
size_t text_length(const char *text, size_t max);

/* Length of the text, cut to at most `max` bytes at a character boundary. */
size_t text_length_cut(const char *text, size_t max);

/* Writes the text as a JSON string; each malformed sequence becomes U+FFFD. */
void text_write_json(FILE *stream, const char *text);

#endif
