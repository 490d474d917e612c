/*
 * Reads strings in a JSON text, in place.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_JSON_STRING_H
#define BACKWORKS_RUNNER_JSON_STRING_H

#include <stdbool.h>

/*
 * Finds the end of a string whose opening quote has been read. Never reads beyond `end`.
 * escapes: receives whether the string contains escapes
 * Returns: the closing quote; NULL when the string is invalid or not well-formed UTF-8
 */
const unsigned char *json_string_end(const unsigned char *at, const unsigned char *end,
                                     bool *escapes);

/* True when the inside of a string, with escapes decoded, equals `name` (ASCII letters and '_'). */
bool json_string_spells(const unsigned char *at, const unsigned char *end, const char *name);

#endif
