/*
 * Reads and writes frames like a runner, and generates numbers from a seed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_FUZZ_WIRE_H
#define BACKWORKS_FUZZ_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* A header as in the stream. Little-endian machines only, like the fuzzer. */
typedef struct Frame {
    uint32_t length;
    uint32_t id;
    uint8_t type;
    uint8_t detail;
    uint16_t reserved;
    int32_t value;
} Frame;

/* Sets the seed, which determines all results of below() and any(). */
void seed_random(uint64_t seed);

/* Returns a number below the limit. */
uint32_t below(uint32_t limit);

/* Returns any number, often a boundary value. */
uint32_t any(void);

/* Writes bytes. Ends the process when the server has ended. */
void put(const void *bytes, size_t length);

/* Writes a frame and `frame.length` bytes of payload. */
void say(Frame frame, const char *payload);

/* Reads the server's next frame and discards its payload. Ends the process when there is none. */
Frame next_frame(void);

/* Waits for ever. */
_Noreturn void hang(void);

#endif
