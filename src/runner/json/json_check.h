/*
 * Checks JSON without interpreting it: whether a text is valid, and the few facts the server needs about
 * a text that it passes on unchanged.
 *
 * The text may be any bytes. It is read once, from front to back, without allocation or recursion. The
 * stack needed does not depend on the text.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_JSON_CHECK_H
#define BACKWORKS_RUNNER_JSON_CHECK_H

#include <stddef.h>
#include <stdint.h>

/* Facts about a text, as bits. src/native/json-check.ts repeats the numbers. */
enum json_fact {
    /* JSON.parse() accepts the text, it is well-formed UTF-8, and it nests no deeper than allowed. */
    JSON_VALID = 1 << 0,
    /* The text nests too deep. The rest was not read, so it may not be JSON at all. */
    JSON_TOO_DEEP = 1 << 1,
    /* Valid texts only: the text is an object with a member of that name, whatever its value. */
    JSON_HAS_STATUS = 1 << 2,
    JSON_HAS_BODY = 1 << 3,
    /* Valid texts only: some object, at any depth, has a member "__proto__". */
    JSON_HAS_PROTOTYPE = 1 << 4
};

/* Largest possible depth_max; a larger value counts as this one. */
enum { JSON_CHECK_DEPTH_MAX = 1024 };

/*
 * Checks `length` bytes. Escapes in member names are decoded.
 * depth_max: how deep arrays and objects may nest; 0 allows neither
 * Returns: facts of enum json_fact; 0 when the text is not JSON
 * Thread: any
 */
unsigned json_check(const char *text, size_t length, unsigned depth_max);

/* Flag in `shape` of a JsonMember: the name contains escapes. */
enum { JSON_MEMBER_ESCAPES = 1 };

/*
 * Position of an object's member, as byte offsets from the start of the text. src/native/json-check.ts
 * repeats the fields in this order.
 */
typedef struct JsonMember {
    uint32_t name;      /* first byte of the name, after its quote */
    uint32_t name_end;  /* the closing quote */
    uint32_t value;     /* first byte of the value */
    uint32_t value_end; /* first byte after the value */
    uint32_t after;     /* index of the next member outside this member's value */
    uint32_t shape;     /* level of the object (1 = outermost) << 1, plus the flag */
} JsonMember;

/*
 * Checks a text as json_check() does, and lists the members of objects in the order of the text: members
 * of the outermost value, and of objects that are values of listed members. Members inside arrays are
 * not listed.
 * levels: how many levels of objects are listed; 1 lists the outermost members only
 * members: receives at most `capacity` members; undefined unless the text is valid
 * count: receives how many there are, possibly more than `capacity`; 0 unless the text is valid
 * Returns: facts of enum json_fact; 0 also for a text of 4 GiB or more
 * Thread: any
 */
unsigned json_members(const char *text, size_t length, unsigned depth_max, unsigned levels,
                      JsonMember *members, uint32_t capacity, uint32_t *count);

#endif
