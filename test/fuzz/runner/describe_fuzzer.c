/*
 * Describes a library with any texts. The output must be one line of valid JSON, and well-formed text must
 * be unchanged.
 *
 * SPDX-License-Identifier: MIT
 */
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/runner/protocol.h"
#include "../../../src/runner/library/text.h"
#include "in_memory.h"

enum { TEXTS = 4 };

/* Uses the C library's decoder, which is independent of the runner's. */
static bool is_utf8(const char *text, size_t length) {
    iconv_t decoder = iconv_open("UTF-32LE", "UTF-8");
    size_t room = 4 * length + 4;
    char *decoded = malloc(room);
    char *into = decoded;
    char *from = (char *)text;
    bool valid = iconv(decoder, &from, &length, &into, &room) != (size_t)-1;

    free(decoded);
    (void)iconv_close(decoder);
    return valid;
}

static char unescape(const char **at) {
    char digits[3];

    if (**at != 'u')
        return *(*at)++;
    if (strncmp(*at, "u00", 3) != 0)
        fuzz_fail("a character is escaped that need not be");
    memcpy(digits, *at + 3, 2);
    digits[2] = '\0';
    *at += 5;
    return (char)strtoul(digits, NULL, 16);
}

/* Decodes a JSON string into `into`. Returns a pointer to its end. */
static const char *read_string(const char *at, char *into, size_t *length) {
    *length = 0;
    if (*at++ != '"')
        fuzz_fail("a string does not begin with a quote");
    while (*at != '"') {
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            fuzz_fail("a string has a control character");
        if (*at == '\\') {
            at++;
            into[(*length)++] = unescape(&at);
        } else {
            into[(*length)++] = *at++;
        }
    }
    if (!is_utf8(into, *length))
        fuzz_fail("a string is not UTF-8");
    return at + 1;
}

static const char *skip(const char *at, const char *what) {
    if (strncmp(at, what, strlen(what)) != 0)
        fuzz_fail("a member is missing");
    return at + strlen(what);
}

static void check_line(const char *line, size_t length, const char *const texts[TEXTS]) {
    static const char *const members[TEXTS] = {
        "{\"name\":", ",\"version\":", ",\"description\":", ",\"manifest\":"};
    char *meant = malloc(length + 1);
    const char *at = line;

    for (size_t index = 0; index < TEXTS; index++) {
        size_t size;
        size_t given = strlen(texts[index]);

        at = read_string(skip(at, members[index]), meant, &size);
        if (is_utf8(texts[index], given) &&
            (size != given || memcmp(meant, texts[index], size) != 0))
            fuzz_fail("well-formed text was changed");
    }
    at = skip(at, ",\"functions\":[\"initialize\"");
    if (strchr(at, '\n') != line + length - 1)
        fuzz_fail("the output is not one line");
    free(meant);
}

/* The buffer has exactly the text's size, so that AddressSanitizer sees a read beyond it. */
static void check_lengths(const uint8_t *data, size_t size) {
    for (size_t max = 0; max < size && max < 64; max++) {
        char *text = malloc(max + 1);
        size_t length;
        size_t cut;

        memcpy(text, data, max + 1);
        length = text_length(text, max);
        cut = text_length_cut(text, max);
        if (length != strnlen(text, max + 1) || cut > max || (length <= max && cut != length))
            fuzz_fail("the length of a text is wrong");
        if (length > max && ((unsigned char)text[max] & 0xC0) != 0x80 && cut != max)
            fuzz_fail("a text was cut before the limit although a character ends there");
        if (length > max && is_utf8(text, max + 1) && !is_utf8(text, cut))
            fuzz_fail("a text was cut within a character");
        if (length > max && max - cut > 3)
            fuzz_fail("a text was cut by more than one character");
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = malloc(size + 1);
    const char *texts[TEXTS] = {"", "", "", ""};
    size_t length = 0;
    size_t at = 0;
    int code = -1;
    char *line;

    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    for (size_t index = 0; index < TEXTS && at <= size; index++) {
        texts[index] = copy + at;
        at += strlen(copy + at) + 1;
    }
    line = in_memory_describe(texts, &length, &code);
    if (code != RUNNER_EXIT_OK)
        fuzz_fail("a valid library was not described");
    check_line(line, length, texts);
    check_lengths(data, size);
    free(line);
    free(copy);
    return 0;
}
