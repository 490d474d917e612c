/*
 * Reads single values out of a JSON document (RFC 8259) without building a tree or allocating.
 *
 * A JsonValue is a view into the text it came from, and is valid as long as that text. Every function
 * is safe on any input. False means "missing, or of another kind", and *out is then undefined.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEATHER_JSON_READER_H
#define WEATHER_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct JsonValue {
    const char *start; /* first byte of the value */
    const char *end;   /* one past its last byte */
} JsonValue;

/* Checks a whole document, nested at most 128 deep. The other functions take only values that come from
 * this function. */
bool json_parse(const char *text, JsonValue *out);

/* The member `name` of an object. If the name is repeated, the last one, like JSON.parse. */
bool json_member(JsonValue object, const char *name, JsonValue *out);

/*
 * Decodes a string to UTF-8 with a final NUL. An unpaired surrogate becomes U+FFFD.
 * Also false when the text contains a NUL or needs more than `size` bytes.
 */
bool json_string(JsonValue value, char *out, size_t size);

#endif
