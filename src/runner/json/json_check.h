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
#include <stdint.h>

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

/* Flag in `shape` of a JsonMember: its name has escapes. */
enum { JSON_MEMBER_ESCAPES = 1 };

/*
 * Where a member of an object is, as byte offsets from the start of the text. The fields stand in
 * src/native/json-check.ts too, in this order.
 */
typedef struct JsonMember {
    uint32_t name;      /* first byte of the name, after its quote */
    uint32_t name_end;  /* the closing quote */
    uint32_t value;     /* first byte of the value */
    uint32_t value_end; /* first byte after it */
    uint32_t after;     /* index of the next member that does not lie within this one's value */
    uint32_t shape;     /* level of its object (the outermost is 1), shifted left by one; flag */
} JsonMember;

/*
 * Checks a text as json_check() does, and lists the members of its objects in the order of the text:
 * those of the outermost value, and of objects that are members of listed objects. What lies in
 * arrays is not listed.
 * levels: objects within objects that are looked into; 1 lists the outermost members only
 * members: where they are written, `capacity` at most; undefined unless the text is valid
 * count: how many there are, which may be more than `capacity`; 0 unless the text is valid
 * Returns: facts of enum json_fact; 0 also for a text of 4 GiB or more
 * Thread: any
 */
unsigned json_members(const char *text, size_t length, unsigned depth_max, unsigned levels,
                      JsonMember *members, uint32_t capacity, uint32_t *count);

#endif
