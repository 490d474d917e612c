/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "frames/frames.h"
#include "library/text.h"
#include "protocol.h"
#include "serve/host_requests.h"
#include "../../../native-sdk/include/backworks_plugin.h"
#include "serve/services.h"

/* The text with its NUL, as a part of a frame. Returns false when the text is longer than `max` bytes. */
static bool text_span(const char *text, size_t max, Span *span) {
    size_t length = text_length(text, max);

    *span = (Span){text, length + 1};
    return length <= max;
}

static bool key_span(const char *key, Span *span) {
    return key != NULL && key[0] != '\0' && text_span(key, KV_KEY_MAX, span);
}

const char *host_kv_get(const char *key) {
    Span span;

    return key_span(key, &span) ? services_ask(FRAME_KV_GET, &span, 1) : NULL;
}

int32_t host_kv_set(const char *key, const char *value, uint32_t ttl_seconds) {
    char seconds[sizeof ttl_seconds];
    Span spans[] = {{seconds, sizeof seconds}, {NULL, 0}, {NULL, 0}};
    size_t count = value != NULL ? 3 : 2;
    const char *answer;

    for (unsigned byte = 0; byte < sizeof seconds; byte++)
        seconds[byte] = (char)(unsigned char)(ttl_seconds >> (8 * byte));
    if (!key_span(key, &spans[1]) || (value != NULL && !text_span(value, KV_VALUE_MAX, &spans[2])))
        return BACKWORKS_KV_INVALID;
    answer = services_ask(FRAME_KV_SET, spans, count);
    return answer != NULL ? (int32_t)strtol(answer, NULL, 10) : BACKWORKS_KV_FULL;
}

const char *host_http_fetch(const char *request_json) {
    const char *answer;
    Span span;

    if (request_json == NULL || !text_span(request_json, FRAME_PAYLOAD_MAX - 1, &span))
        return "{\"error\":\"the request is NULL or longer than a frame\"}";
    answer = services_ask(FRAME_HTTP_FETCH, &span, 1);
    return answer != NULL ? answer : "{\"error\":\"the server gave no answer\"}";
}

const char *host_call(const char *plugin, const char *operation, const char *payload_json) {
    const char *const texts[] = {plugin != NULL ? plugin : "", operation,
                                 payload_json != NULL ? payload_json : "null"};
    Span spans[sizeof texts / sizeof *texts];
    size_t left = FRAME_PAYLOAD_MAX;

    if (operation == NULL)
        return NULL;
    /* The server rejects what is too long for a frame; this check only prevents an overflow. */
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
        if (left == 0 || !text_span(texts[index], left - 1, &spans[index]))
            return NULL;
        left -= spans[index].length;
    }
    return services_ask(FRAME_OPERATION, spans, sizeof texts / sizeof *texts);
}
