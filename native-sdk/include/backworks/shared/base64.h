/*
 * Base64 (RFC 4648 section 4, padded), as documents write bytes that are no text.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_SHARED_BASE64_H
#define BACKWORKS_SHARED_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

static inline size_t backworks_base64_size(size_t bytes) {
    return (bytes + 2) / 3 * 4;
}

/* Writes backworks_base64_size(size) characters and no NUL. */
static BACKWORKS_UNUSED void backworks_base64_encode(const void *data, size_t size, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *bytes = (const uint8_t *)data;
    for (; size >= 3; size -= 3, bytes += 3) {
        *out++ = digits[bytes[0] >> 2];
        *out++ = digits[(bytes[0] & 3) << 4 | bytes[1] >> 4];
        *out++ = digits[(bytes[1] & 15) << 2 | bytes[2] >> 6];
        *out++ = digits[bytes[2] & 63];
    }
    if (size > 0) {
        uint8_t second = size == 2 ? bytes[1] : 0;
        *out++ = digits[bytes[0] >> 2];
        *out++ = digits[(bytes[0] & 3) << 4 | second >> 4];
        *out++ = size == 2 ? digits[(second & 15) << 2] : '=';
        *out++ = '=';
    }
}

static inline int backworks_base64_digit(char digit) {
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/* `out` has room for size / 4 * 3 bytes. False when the text is not base64. */
static BACKWORKS_UNUSED bool backworks_base64_decode(const char *text, size_t size, uint8_t *out,
                                                     size_t *written) {
    size_t padding = 0;
    while (padding < 2 && padding < size && text[size - 1 - padding] == '=') {
        padding++;
    }
    *written = 0;
    if (size % 4 != 0) {
        return false;
    }
    for (size_t at = 0; at < size; at += 4) {
        size_t digits = at + 4 == size ? 4 - padding : 4;
        uint32_t bits = 0;
        for (size_t i = 0; i < 4; i++) {
            int digit = i < digits ? backworks_base64_digit(text[at + i]) : 0;
            if (digit < 0) {
                return false;
            }
            bits = bits << 6 | (uint32_t)digit;
        }
        for (size_t i = 0; i + 1 < digits; i++) {
            out[(*written)++] = (uint8_t)(bits >> (16 - 8 * i));
        }
    }
    return true;
}

#endif /* BACKWORKS_SHARED_BASE64_H */
