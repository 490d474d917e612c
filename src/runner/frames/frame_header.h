/*
 * The header of a frame, as protocol.h lays it out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_FRAME_HEADER_H
#define BACKWORKS_RUNNER_FRAME_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

typedef struct FrameHeader {
    uint32_t length;
    uint32_t id;
    uint8_t type;
    uint8_t detail;
    int32_t value;
} FrameHeader;

/* Decodes FRAME_HEADER_SIZE bytes. False when the length or a reserved field breaks the protocol. */
bool frame_header_decode(const char *bytes, FrameHeader *header);

/* Encodes into FRAME_HEADER_SIZE bytes. */
void frame_header_encode(const FrameHeader *header, char *bytes);

#endif
