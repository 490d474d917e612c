/* SPDX-License-Identifier: MIT */
#include "json_reader.h"

#include <stdint.h>
#include <string.h>

enum { DEPTH_MAX = 128, NAME_SIZE = 64 };

/* ---- Grammar. Each function takes the position of a value and returns the position after it, or
 * NULL. The final NUL belongs to no token, so no function can read past the end. ----------------
 */

static const char *skip_value(const char *at, int depth);

static const char *skip_space(const char *at) {
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') {
        at++;
    }
    return at;
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static int hex_digit(char byte) {
    if (is_digit(byte)) {
        return byte - '0';
    }
    if (byte >= 'a' && byte <= 'f') {
        return byte - 'a' + 10;
    }
    if (byte >= 'A' && byte <= 'F') {
        return byte - 'A' + 10;
    }
    return -1;
}

static const char *skip_string(const char *at) {
    if (*at++ != '"') {
        return NULL;
    }
    while (*at != '"') {
        if ((unsigned char)*at < 0x20) {
            return NULL;
        }
        if (*at++ != '\\') {
            continue;
        }
        if (*at == 'u') {
            for (int digit = 1; digit <= 4; digit++) {
                if (hex_digit(at[digit]) < 0) {
                    return NULL;
                }
            }
            at += 5;
        } else if (*at != '\0' && strchr("\"\\/bfnrt", *at) != NULL) {
            at++;
        } else {
            return NULL;
        }
    }
    return at + 1;
}

static const char *skip_digits(const char *at) {
    if (!is_digit(*at)) {
        return NULL;
    }
    while (is_digit(*at)) {
        at++;
    }
    return at;
}

static const char *skip_number(const char *at) {
    if (*at == '-') {
        at++;
    }
    at = *at == '0' ? at + 1 : skip_digits(at);
    if (at != NULL && *at == '.') {
        at = skip_digits(at + 1);
    }
    if (at != NULL && (*at == 'e' || *at == 'E')) {
        at++;
        at = skip_digits(*at == '+' || *at == '-' ? at + 1 : at);
    }
    return at;
}

static const char *skip_word(const char *at, const char *word) {
    size_t length = strlen(word);
    return strncmp(at, word, length) == 0 ? at + length : NULL;
}

/* "name" : */
static const char *skip_name(const char *at) {
    at = skip_string(at);
    if (at == NULL) {
        return NULL;
    }
    at = skip_space(at);
    return *at == ':' ? skip_space(at + 1) : NULL;
}

static const char *skip_container(const char *at, int depth) {
    bool object = *at == '{';
    char close = object ? '}' : ']';
    at = skip_space(at + 1);
    if (*at == close) {
        return at + 1;
    }
    for (;;) {
        if (object) {
            at = skip_name(at);
        }
        if (at != NULL) {
            at = skip_value(at, depth + 1);
        }
        if (at == NULL) {
            return NULL;
        }
        at = skip_space(at);
        if (*at == close) {
            return at + 1;
        }
        if (*at != ',') {
            return NULL;
        }
        at = skip_space(at + 1);
    }
}

static const char *skip_value(const char *at, int depth) {
    switch (*at) {
    case '{':
    case '[':
        return depth < DEPTH_MAX ? skip_container(at, depth) : NULL;
    case '"':
        return skip_string(at);
    case 't':
        return skip_word(at, "true");
    case 'f':
        return skip_word(at, "false");
    case 'n':
        return skip_word(at, "null");
    default:
        return skip_number(at);
    }
}

/* ---- Strings --------------------------------------------------------------------------------- */

static uint32_t read_unit(const char *at) {
    uint32_t unit = 0;
    for (int digit = 0; digit < 4; digit++) {
        unit = unit << 4 | (uint32_t)hex_digit(at[digit]);
    }
    return unit;
}

/* Reads what follows a backslash, and moves *at past it. */
static uint32_t read_escape(const char **at) {
    static const char letters[] = "bfnrt";
    static const char meanings[] = "\b\f\n\r\t";
    char letter = *(*at)++;
    if (letter != 'u') {
        const char *known = strchr(letters, letter);
        return (unsigned char)(known != NULL ? meanings[known - letters] : letter);
    }
    uint32_t unit = read_unit(*at);
    *at += 4;
    if (unit < 0xD800 || unit > 0xDFFF) {
        return unit;
    }
    if (unit < 0xDC00 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        uint32_t low = read_unit(*at + 2);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *at += 6;
            return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return 0xFFFD;
}

static size_t encode_utf8(uint32_t code, char out[4]) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(lead[size] | code);
    return size;
}

/* ---- Interface ------------------------------------------------------------------------------- */

bool json_parse(const char *text, JsonValue *out) {
    const char *start = skip_space(text);
    const char *end = skip_value(start, 0);
    if (end == NULL || *skip_space(end) != '\0') {
        return false;
    }
    *out = (JsonValue){start, end};
    return true;
}

bool json_member(JsonValue object, const char *name, JsonValue *out) {
    if (*object.start != '{') {
        return false;
    }
    bool found = false;
    const char *at = skip_space(object.start + 1);
    while (*at != '}') {
        char key[NAME_SIZE];
        bool same =
            json_string((JsonValue){at, object.end}, key, sizeof key) && strcmp(key, name) == 0;
        const char *start = skip_name(at);
        const char *end = skip_value(start, 1);
        if (same) {
            *out = (JsonValue){start, end};
            found = true;
        }
        at = skip_space(end);
        if (*at == ',') {
            at = skip_space(at + 1);
        }
    }
    return found;
}

bool json_string(JsonValue value, char *out, size_t size) {
    const char *at = value.start;
    if (size == 0 || *at++ != '"') {
        return false;
    }
    char decoded[4];
    size_t used = 0;
    while (*at != '"') {
        uint32_t code = (unsigned char)*at++;
        size_t length = 1;
        decoded[0] = (char)code;
        if (code == '\\') {
            code = read_escape(&at);
            length = encode_utf8(code, decoded);
        }
        if (code == 0 || length >= size - used) {
            return false;
        }
        memcpy(out + used, decoded, length);
        used += length;
    }
    out[used] = '\0';
    return true;
}
