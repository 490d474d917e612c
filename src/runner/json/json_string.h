/*
 * The strings of a JSON text, where they lie.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_JSON_STRING_H
#define BACKWORKS_RUNNER_JSON_STRING_H

#include <stdbool.h>

/*
 * Reads a string whose opening quote has been read, never beyond `end`.
 * escapes: whether it has any
 * Returns: its closing quote; NULL when it is not a string, or not well-formed UTF-8
 */
const unsigned char *json_string_end(const unsigned char *at, const unsigned char *end,
                                     bool *escapes);

/* Whether the inside of a string, its escapes seen through, is `name`: ASCII letters and '_'. */
bool json_string_spells(const unsigned char *at, const unsigned char *end, const char *name);

#endif
