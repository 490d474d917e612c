/*
 * UTF-8 text that comes from a plugin and may be anything.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_TEXT_H
#define BACKWORKS_RUNNER_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Length of the text, or `max` + 1 when it is longer than `max`; reads no further. */
size_t text_length(const char *text, size_t max);

/* Length of the text, cut before the first character that does not end within `max` bytes. */
size_t text_length_cut(const char *text, size_t max);

/* Writes the text as a JSON string; each malformed sequence becomes U+FFFD. */
void text_write_json(FILE *stream, const char *text);

#endif
