/*
 * Changes streams frame by frame, so that most of them stay well-formed and reach the code after
 * the parser. One in eight is changed byte by byte.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/runner/protocol.h"

enum { SCRIPT_SIZE = 5, FRAMES_MAX = 256 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

typedef struct Span {
    size_t start;
    size_t size;
} Span;

static size_t find_frames(const uint8_t *data, size_t size, Span *frames) {
    size_t at = SCRIPT_SIZE;
    size_t count = 0;

    while (count < FRAMES_MAX && at + FRAME_HEADER_SIZE <= size) {
        uint32_t length;

        memcpy(&length, data + at, sizeof length);
        if (length > size - at - FRAME_HEADER_SIZE)
            break;
        frames[count++] = (Span){at, FRAME_HEADER_SIZE + length};
        at += FRAME_HEADER_SIZE + length;
    }
    return count;
}

/* Replaces the frame by `size` bytes. Returns the new size of the stream. */
static size_t replace(uint8_t *data, size_t total, Span frame, const uint8_t *bytes, size_t size) {
    size_t behind = frame.start + frame.size;

    memmove(data + frame.start + size, data + behind, total - behind);
    if (size > 0)
        memcpy(data + frame.start, bytes, size);
    return total - frame.size + size;
}

/* Changes a payload and updates the length in the header. */
static size_t change_payload(uint8_t *data, size_t size, size_t max_size, Span frame) {
    size_t room = frame.size + (max_size - size);
    uint8_t *copy;
    uint32_t length;
    size_t result;

    if (room == FRAME_HEADER_SIZE)
        return size;
    copy = malloc(room);
    memcpy(copy, data + frame.start, frame.size);
    length = (uint32_t)LLVMFuzzerMutate(copy + FRAME_HEADER_SIZE, frame.size - FRAME_HEADER_SIZE,
                                        room - FRAME_HEADER_SIZE);
    memcpy(copy, &length, sizeof length);
    result = replace(data, size, frame, copy, FRAME_HEADER_SIZE + length);
    free(copy);
    return result;
}

/* Inserts a copy of the frame before another frame. */
static size_t repeat(uint8_t *data, size_t size, size_t max_size, Span frame, Span before) {
    uint8_t *copy;
    size_t result;

    if (frame.size > max_size - size)
        return size;
    copy = malloc(frame.size);
    memcpy(copy, data + frame.start, frame.size);
    result = replace(data, size, (Span){before.start, 0}, copy, frame.size);
    free(copy);
    return result;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    Span frames[FRAMES_MAX];
    size_t count = size > SCRIPT_SIZE ? find_frames(data, size, frames) : 0;
    Span frame;

    if (count == 0 || seed % 8 == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    frame = frames[seed / 8 % count];
    switch (seed / 2048 % 6) {
    case 0:
    case 1:
        return change_payload(data, size, max_size, frame);
    case 2:
        return repeat(data, size, max_size, frame, frames[seed / 65536 % count]);
    case 3:
        return replace(data, size, frame, NULL, 0);
    case 4:
        /* Any field of the header except the length. */
        (void)LLVMFuzzerMutate(data + frame.start + 4, FRAME_HEADER_SIZE - 4,
                               FRAME_HEADER_SIZE - 4);
        return size;
    default:
        (void)LLVMFuzzerMutate(data, SCRIPT_SIZE, SCRIPT_SIZE);
        return size;
    }
}
