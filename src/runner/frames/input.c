/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "frames/frames.h"
#include "protocol.h"

/* Holds a batch of ordinary calls; only a larger frame makes the buffer grow. */
enum { INPUT_ROOM = 64 * 1024 };

enum input_result input_next(Input *input, FrameHeader *header, const char **payload) {
    size_t have = input->end - input->start;
    const char *at;

    if (have < FRAME_HEADER_SIZE)
        return INPUT_INCOMPLETE;
    at = input->bytes + input->start;
    if (!frame_header_decode(at, header))
        return INPUT_MALFORMED;
    if (have - FRAME_HEADER_SIZE < header->length)
        return INPUT_INCOMPLETE;
    *payload = at + FRAME_HEADER_SIZE;
    input->start += FRAME_HEADER_SIZE + header->length;
    return INPUT_FRAME;
}

/* Size of a buffer that holds the incomplete frame. The frame's length has been checked. */
static size_t room_needed(const Input *input) {
    size_t needed = FRAME_HEADER_SIZE;
    FrameHeader header;

    if (input->end - input->start >= FRAME_HEADER_SIZE &&
        frame_header_decode(input->bytes + input->start, &header))
        needed += header.length;
    return needed > INPUT_ROOM ? needed : (size_t)INPUT_ROOM;
}

enum channel_result input_fill(Input *input) {
    size_t room = room_needed(input);
    size_t have = input->end - input->start;
    enum channel_result result;
    size_t got = 0;

    if (have > 0 && input->start > 0)
        memmove(input->bytes, input->bytes + input->start, have);
    input->start = 0;
    input->end = have;
    /* Also shrinks: the `have` bytes fit, because they belong to the frame that `room` was computed for. */
    if (room != input->room) {
        char *bytes = realloc(input->bytes, room);

        if (bytes == NULL)
            output_end(RUNNER_EXIT_NO_MEMORY);
        input->bytes = bytes;
        input->room = room;
    }
    result = channel_read(input->bytes + have, room - have, &got);
    input->end += got;
    input->arrived_us = clock_now_us();
    return result;
}

/* A buffer that is larger than INPUT_ROOM was made for exactly one frame. */
char *input_take(Input *input, size_t length) {
    char *bytes = input->bytes;

    if (FRAME_HEADER_SIZE + length <= INPUT_ROOM || input->start != input->end)
        return NULL;
    *input = (Input){.arrived_us = input->arrived_us};
    return bytes;
}
