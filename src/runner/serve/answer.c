/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "serve/answer.h"
#include "frames/frames.h"
#include "serve/log_rate.h"
#include "protocol.h"
#include "sandbox/refusals.h"
#include "library/text.h"

void answer_text(uint8_t type, uint8_t detail, uint32_t id, int32_t value, const char *text,
                 size_t length) {
    FrameHeader header = {.id = id, .type = type, .detail = detail, .value = value};
    Span span = {text, length};

    output_send(header, &span, 1);
}

void answer_failure(uint32_t id, uint8_t failure, const char *why) {
    answer_text(FRAME_FAILED, failure, id, 0, why, strlen(why));
}

void answer_status(const Library *library, uint32_t id, int32_t status) {
    const char *reason = status != 0 ? library_last_error(library) : NULL;

    if (reason == NULL)
        reason = "";
    answer_text(FRAME_STATUS, 0, id, status, reason, text_length_cut(reason, LOG_TEXT_MAX));
}

void answer_string(uint32_t id, uint8_t flags, const char *string, size_t length, size_t length_max,
                   int32_t took_ns) {
    if (string == NULL) {
        FrameHeader header = {.id = id, .type = FRAME_EMPTY, .detail = flags, .value = took_ns};

        output_send(header, NULL, 0);
        return;
    }
    if (length > length_max) {
        char why[80];

        (void)snprintf(why, sizeof why, "the plugin's reply exceeds %zu bytes", length_max);
        answer_failure(id, FAILURE_REPLY_TOO_LARGE, why);
        return;
    }
    answer_text(FRAME_REPLY, flags, id, took_ns, string, length);
}

void answer_dropped(void) {
    FrameHeader header = {.type = FRAME_LOG, .value = log_rate_take_dropped()};

    if (header.value > 0)
        output_send(header, NULL, 0);
}

void answer_refusals(void) {
    Refusal refusal;

    while (refusals_next(&refusal)) {
        FrameHeader header = {.type = FRAME_REFUSED, .detail = (uint8_t)refusal.permission};
        Span texts[2] = {{refusal.function, strlen(refusal.function) + 1},
                         {refusal.object, strlen(refusal.object) + 1}};

        header.value = refusal.times < INT32_MAX ? (int32_t)refusal.times : INT32_MAX;
        output_send(header, texts, 2);
    }
}
