/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include "wire.h"

#include <stdlib.h>
#include <unistd.h>

#include "../../../src/runner/protocol.h"

static uint64_t random_state;

void seed_random(uint64_t seed) {
    random_state = seed * 0x9E3779B97F4A7C15U + 1;
    /* Mixes the bits, because neighbouring seeds differ in few of them. */
    for (int warm = 0; warm < 8; warm++)
        (void)below(2);
}

uint32_t below(uint32_t limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % limit;
}

uint32_t any(void) {
    static const uint32_t edges[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};

    return below(2) == 0 ? edges[below(sizeof edges / sizeof *edges)] : below(UINT32_MAX);
}

void put(const void *bytes, size_t length) {
    for (const char *at = bytes; length > 0;) {
        ssize_t count = write(ANSWERS_DESCRIPTOR, at, length);

        if (count <= 0)
            _exit(0);
        at += count;
        length -= (size_t)count;
    }
}

void say(Frame frame, const char *payload) {
    put(&frame, FRAME_HEADER_SIZE);
    put(payload, frame.length);
}

_Noreturn void hang(void) {
    for (;;)
        (void)pause();
}

static void take(void *into, size_t length) {
    for (char *at = into; length > 0;) {
        ssize_t count = read(PROTOCOL_DESCRIPTOR, at, length);

        if (count <= 0)
            _exit(0);
        at += count;
        length -= (size_t)count;
    }
}

Frame next_frame(void) {
    char skipped[4096];
    Frame frame;
    uint32_t left;

    take(&frame, sizeof frame);
    for (left = frame.length; left > 0;) {
        uint32_t count = left < sizeof skipped ? left : (uint32_t)sizeof skipped;

        take(skipped, count);
        left -= count;
    }
    return frame;
}
