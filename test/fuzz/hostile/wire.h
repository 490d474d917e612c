/*
 * Frames as a runner sends and receives them, and numbers that one seed decides.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_FUZZ_WIRE_H
#define BACKWORKS_FUZZ_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* A header as it lies in the stream; little-endian machines only, as the fuzzer is. */
typedef struct Frame {
    uint32_t length;
    uint32_t id;
    uint8_t type;
    uint8_t detail;
    uint16_t reserved;
    int32_t value;
} Frame;

/* Everything that below() and any() will ever return. */
void seed_random(uint64_t seed);

/* A number under the limit. */
uint32_t below(uint32_t limit);

/* A number, often one at which something changes. */
uint32_t any(void);

/* Bytes as they are; ends the process when the server is gone. */
void put(const void *bytes, size_t length);

/* A frame and `frame.length` bytes of payload. */
void say(Frame frame, const char *payload);

/* The server's next frame; its payload is thrown away. Ends the process when there is none. */
Frame next_frame(void);

/* Does nothing, for ever. */
_Noreturn void hang(void);

#endif
