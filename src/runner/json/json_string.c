/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>

#include "json/json_string.h"

/*
 * Functions that read something return a pointer to the byte after it, or NULL when it is missing. `at` is
 * before `end` unless the function says otherwise.
 */

/* Eight bytes at a time: one arithmetic operation works on all bytes of a word. */
#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))
enum { WORD_SIZE = 8 };

/* Loads eight bytes as a little-endian word. Compilers make one load instruction of this loop. */
static uint64_t load_word(const unsigned char *at) {
    uint64_t word = 0;

    for (unsigned byte = 0; byte < WORD_SIZE; byte++)
        word |= (uint64_t)at[byte] << (8 * byte);
    return word;
}

/*
 * Marks each byte that needs attention in a string by its highest bit: quotes, backslashes, control
 * characters and non-ASCII bytes. Only the lowest mark is exact: a borrow may set others above it.
 */
static uint64_t special_bytes(uint64_t word) {
    uint64_t quote = word ^ EACH_BYTE('"');
    uint64_t backslash = word ^ EACH_BYTE('\\');
    uint64_t below = (quote - EACH_BYTE(1)) | (backslash - EACH_BYTE(1)) | (word - EACH_BYTE(0x20));

    return (below | word) & EACH_BYTE(0x80);
}

/* Index of the lowest marked byte. At least one byte is marked. */
static size_t first_marked(uint64_t marks) {
    uint64_t below = (marks - 1) & ~marks;

    return (size_t)(((below & EACH_BYTE(1)) * EACH_BYTE(1)) >> 56) - 1;
}

static bool is_special(unsigned char byte) {
    return byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
}

/* The first special byte; `end` when there is none. */
static const unsigned char *find_special(const unsigned char *at, const unsigned char *end) {
    while (end - at >= WORD_SIZE) {
        uint64_t special = special_bytes(load_word(at));

        if (special != 0)
            return at + first_marked(special);
        at += WORD_SIZE;
    }
    while (at < end && !is_special(*at))
        at++;
    return at;
}

/* Reads a character of two to four bytes that is well-formed by Unicode's table 3-7. */
static const unsigned char *read_character(const unsigned char *at, const unsigned char *end) {
    unsigned char lead = *at++;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    int more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;

    if (lead < 0xc2 || lead > 0xf4 || end - at < more)
        return NULL;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f; /* no surrogates */
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (*at < low || *at > high)
        return NULL;
    for (at++; --more > 0; at++)
        if ((*at & 0xc0) != 0x80)
            return NULL;
    return at;
}

/* Reads all non-ASCII characters up to the next ASCII character. */
static const unsigned char *read_characters(const unsigned char *at, const unsigned char *end) {
    while (at != NULL && at < end && *at >= 0x80)
        at = read_character(at, end);
    return at;
}

/* Value of a hexadecimal digit; -1 for any other byte. */
static int hex_digit(unsigned char byte) {
    int lower = byte | 0x20;

    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Reads an escape after its backslash. `at` may be `end`. */
static const unsigned char *read_escape(const unsigned char *at, const unsigned char *end) {
    if (at == end)
        return NULL;
    switch (*at++) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return at;
    case 'u':
        if (end - at < 4)
            return NULL;
        /* Lone surrogates are allowed, as in JSON.parse(). */
        for (unsigned digit = 0; digit < 4; digit++)
            if (hex_digit(*at++) < 0)
                return NULL;
        return at;
    default:
        return NULL;
    }
}

const unsigned char *json_string_end(const unsigned char *at, const unsigned char *end,
                                     bool *escapes) {
    *escapes = false;
    for (;;) {
        at = find_special(at, end);
        if (at == end || *at < 0x20)
            return NULL;
        if (*at == '"')
            return at;
        if (*at == '\\') {
            *escapes = true;
            at = read_escape(at + 1, end);
        } else {
            at = read_characters(at, end);
        }
        if (at == NULL)
            return NULL;
    }
}

bool json_string_spells(const unsigned char *at, const unsigned char *end, const char *name) {
    for (; *name != '\0' && at < end; name++) {
        int unit = *at++;

        if (unit == '\\') {
            /* One-letter escapes stand for characters that no name contains. */
            if (*at++ != 'u')
                return false;
            unit = 0;
            for (unsigned digit = 0; digit < 4; digit++)
                unit = unit * 16 + hex_digit(*at++);
        }
        if (unit != *name)
            return false;
    }
    return *name == '\0' && at == end;
}
