/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "library/text.h"

enum { UTF8_CONTINUATIONS_MAX = 3 };

size_t text_length(const char *text, size_t max) {
    /* memchr() stops at the first match, so it never reads beyond the end of the string. */
    const char *end = memchr(text, '\0', max + 1);

    return end != NULL ? (size_t)(end - text) : max + 1;
}

size_t text_length_cut(const char *text, size_t max) {
    size_t length = text_length(text, max);
    size_t cut = max;

    if (length <= max)
        return length;
    while (cut > 0 && max - cut < UTF8_CONTINUATIONS_MAX &&
           ((unsigned char)text[cut] & 0xC0) == 0x80)
        cut--;
    return cut;
}

/*
 * Size of the well-formed UTF-8 sequence at the start of `text`. For a malformed sequence, the negated
 * size of the part that a single U+FFFD replaces (Unicode 3.9, "maximal subpart"). A NUL byte ends
 * every sequence.
 */
static int sequence(const unsigned char *text) {
    unsigned lead = text[0];
    unsigned low = 0x80;
    unsigned high = 0xBF;
    int continuations;

    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        continuations = 1;
    else if (lead >= 0xE0 && lead <= 0xEF)
        continuations = 2;
    else if (lead >= 0xF0 && lead <= 0xF4)
        continuations = 3;
    else
        return -1;
    /* The second byte shows overlong forms, surrogates and numbers above U+10FFFF. */
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    for (int index = 1; index <= continuations; index++) {
        if (text[index] < low || text[index] > high)
            return -index;
        low = 0x80;
        high = 0xBF;
    }
    return continuations + 1;
}

void text_write_json(FILE *stream, const char *text) {
    const unsigned char *at = (const unsigned char *)text;

    (void)putc('"', stream);
    while (*at != '\0') {
        int size = sequence(at);

        if (size < 0) {
            (void)fputs("\xEF\xBF\xBD", stream);
            at -= size;
            continue;
        }
        if (*at < 0x20 || *at == 0x7F)
            (void)fprintf(stream, "\\u%04x", (unsigned)*at);
        else if (*at == '"' || *at == '\\')
            (void)fprintf(stream, "\\%c", *at);
        else
            (void)fwrite(at, 1, (size_t)size, stream);
        at += size;
    }
    (void)putc('"', stream);
}
