/* SPDX-License-Identifier: MIT */
#include "answers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/runner/protocol.h"
#include "in_memory.h"

static uint32_t number_at(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* The size of the frame at the start of `bytes`; 0 when it is incomplete. */
static size_t frame_size(const uint8_t *bytes, size_t length) {
    uint64_t size;

    if (length < FRAME_HEADER_SIZE)
        return 0;
    size = (uint64_t)FRAME_HEADER_SIZE + number_at(bytes);
    return size <= length ? (size_t)size : 0;
}

size_t count_frames(const uint8_t *sent, size_t length) {
    size_t count = 0;
    size_t size;

    for (; (size = frame_size(sent, length)) > 0; count++) {
        sent += size;
        length -= size;
    }
    return count;
}

static void check_frame(const uint8_t *frame, bool first) {
    uint8_t type = frame[8];

    if (first != (type == FRAME_RUNNER_HELLO))
        fuzz_fail("the first frame is not HELLO, or a later frame is HELLO");
    if (type < FRAME_RUNNER_HELLO || type > FRAME_READY)
        fuzz_fail("the runner sent a frame of an unknown type");
    if (number_at(frame) > FRAME_PAYLOAD_MAX || frame[10] != 0 || frame[11] != 0)
        fuzz_fail("the runner sent a malformed header");
    if ((type == FRAME_LOG || type == FRAME_METRIC) && number_at(frame + 4) != 0)
        fuzz_fail("a LOG or METRIC frame has an id");
    if (type == FRAME_LOG && number_at(frame) > LOG_TEXT_MAX)
        fuzz_fail("a log line is too long");
    if (type == FRAME_FAILED && (frame[9] < FAILURE_LOAD || frame[9] > FAILURE_CANCELLED))
        fuzz_fail("a FAILED frame has an unknown failure");
}

/* The request document, endpoint and method; with after_response the head of the response as well. */
static int strings_of_batch(uint8_t steps) {
    switch (steps) {
    case BATCH_BEFORE_REQUEST | BATCH_PROCESS_ENDPOINT:
        return 3;
    case BATCH_PROCESS_ENDPOINT | BATCH_AFTER_RESPONSE:
    case BATCH_BEFORE_REQUEST | BATCH_PROCESS_ENDPOINT | BATCH_AFTER_RESPONSE:
        return 4;
    default:
        return -2;
    }
}

/* True when another answer to the same frame follows. */
static bool more_follows(const uint8_t *answer, const uint8_t *asked) {
    bool of_hook = answer[8] == FRAME_REPLY || answer[8] == FRAME_EMPTY;

    return asked[8] == FRAME_BATCH && of_hook && (answer[9] & ANSWER_MORE) != 0;
}

/* How many strings a frame of the server must have; -1 for any number. */
static int strings_of(const uint8_t *frame) {
    static const int of_hook[HOOK_COUNT] = {1, 1, 3, 2};

    switch (frame[8]) {
    case FRAME_LOAD:
    case FRAME_INITIALIZE:
    case FRAME_RECONFIGURE:
        return 1;
    case FRAME_CALL:
        return frame[9] < HOOK_COUNT ? of_hook[frame[9]] : -2;
    case FRAME_BATCH:
        return strings_of_batch(frame[9]);
    case FRAME_SANDBOX:
        return -1;
    default:
        return 0;
    }
}

/* Checks that the answered frame was valid. */
static void check_asked(const uint8_t *frame) {
    uint32_t length = number_at(frame);
    int strings = 0;

    for (uint32_t index = 0; index < length; index++)
        strings += frame[FRAME_HEADER_SIZE + index] == '\0';
    if (strings_of(frame) != -1 && strings_of(frame) != strings)
        fuzz_fail("the runner accepted a frame with a wrong number of strings");
    if (length > 0 && frame[FRAME_HEADER_SIZE + length - 1] != '\0')
        fuzz_fail("the runner accepted a frame whose last string has no NUL");
    if (frame[10] != 0 || frame[11] != 0 || length > FRAME_PAYLOAD_MAX)
        fuzz_fail("the runner accepted a malformed frame");
}

Answers check_answers(const uint8_t *stream, size_t length, const uint8_t *sent,
                      size_t sent_length) {
    Answers found = {.frames = 0};
    uint32_t reply_max = 0;
    size_t size;

    /* HELLO is the only frame without an answer. */
    size = frame_size(sent, sent_length);
    sent += size;
    sent_length -= size;
    for (; (size = frame_size(stream, length)) > 0; found.frames++) {
        check_frame(stream, found.frames == 0);
        if (found.frames > 0 && stream[8] != FRAME_LOG && stream[8] != FRAME_METRIC) {
            size_t asked = frame_size(sent, sent_length);

            if (asked == 0)
                fuzz_fail("the runner sent more answers than there were frames");
            if (number_at(stream + 4) != number_at(sent + 4))
                fuzz_fail("an answer has the wrong id");
            check_asked(sent);
            if (sent[8] == FRAME_LOAD)
                reply_max = number_at(sent + 12);
            if (stream[8] == FRAME_REPLY && number_at(stream) > reply_max)
                fuzz_fail("a reply is longer than LOAD allows");
            if (!more_follows(stream, sent)) {
                sent += asked;
                sent_length -= asked;
                found.answers++;
            }
        }
        stream += size;
        length -= size;
    }
    found.whole = length == 0;
    return found;
}

/* Byte `at` of everything the runner produced, from the socket or from the ring. */
static uint8_t stream_byte(size_t at) {
    return at < in_memory_outcome.length ? in_memory_outcome.written[at]
                                         : (uint8_t)in_memory_page.ring[at % ANSWER_RING_SIZE];
}

void in_memory_check_kill(void) {
    Outcome *outcome = &in_memory_outcome;
    size_t produced = (size_t)atomic_load(&in_memory_page.produced);
    uint8_t length[sizeof(uint32_t)];

    if (produced < outcome->length || produced - outcome->length > ANSWER_RING_SIZE)
        fuzz_fail("the shared page has a wrong count of bytes");
    while (outcome->whole + FRAME_HEADER_SIZE <= produced) {
        for (size_t index = 0; index < sizeof length; index++)
            length[index] = stream_byte(outcome->whole + index);
        outcome->whole += FRAME_HEADER_SIZE + number_at(length);
    }
    if (outcome->whole != produced)
        fuzz_fail("a process killed now would leave an incomplete frame");
}
