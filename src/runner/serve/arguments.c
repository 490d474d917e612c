/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "serve/arguments.h"
#include "protocol.h"

/* Returns false unless the payload consists of exactly `count` strings. */
static bool find_strings(const char *payload, size_t length, const char **strings, size_t count) {
    const char *end = payload + length;

    for (size_t index = 0; index < count; index++) {
        const char *nul = memchr(payload, '\0', (size_t)(end - payload));

        if (nul == NULL)
            return false;
        strings[index] = payload;
        payload = nul + 1;
    }
    return payload == end;
}

bool arguments_find(const FrameHeader *header, const char *payload, size_t strings,
                    const char **arguments) {
    if (strings == STRINGS_ANY) {
        arguments[0] = payload;
        return header->length == 0 || payload[header->length - 1] == '\0';
    }
    if (strings == STRINGS_OF_HOOKS) {
        strings = header->type == FRAME_BATCH ? hooks_batch_arguments(header->detail)
                                              : library_hook_arguments(header->detail);
        if (strings == 0)
            return false;
    }
    return find_strings(payload, header->length, arguments, strings);
}
