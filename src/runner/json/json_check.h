/*
 * Checks JSON without interpreting it: whether a text is valid, and the few things the server asks
 * of one that it passes on as it came.
 *
 * The text may be anything. It is read once, from front to back; nothing is allocated, nothing
 * recurses, and the stack needed does not depend on the text.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_JSON_CHECK_H
#define BACKWORKS_RUNNER_JSON_CHECK_H

#include <stddef.h>

/* What a text is; a bit each. The numbers stand in src/native/json-check.ts too. */
enum json_fact {
    /* What JSON.parse() accepts, in well-formed UTF-8, nesting as deep as allowed at most. */
    JSON_VALID = 1 << 0,
    /* Nests deeper than allowed, and was read no further: perhaps it is not JSON either. */
    JSON_TOO_DEEP = 1 << 1,
    /* Told of valid texts only: an object with a member of that name, whatever its value; */
    JSON_HAS_STATUS = 1 << 2,
    JSON_HAS_BODY = 1 << 3,
    /* and a member "__proto__" at any depth. */
    JSON_HAS_PROTOTYPE = 1 << 4
};

/* Largest number of levels that can be asked for; a larger one counts as this. */
enum { JSON_CHECK_DEPTH_MAX = 1024 };

/*
 * Checks `length` bytes. Escapes in names are seen through.
 * depth_max: arrays and objects that may lie within one another; 0 allows neither
 * Returns: facts of enum json_fact; 0 when the text is not JSON
 * Thread: any
 */
unsigned json_check(const char *text, size_t length, unsigned depth_max);

#endif
