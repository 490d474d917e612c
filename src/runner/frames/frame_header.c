/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "frames/frame_header.h"

static uint32_t get_little_endian(const char *bytes) {
    const unsigned char *b = (const unsigned char *)bytes;

    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void put_little_endian(char *into, uint32_t number) {
    for (unsigned byte = 0; byte < 4; byte++)
        into[byte] = (char)(unsigned char)(number >> (8 * byte));
}

static int32_t to_signed(uint32_t bits) {
    int32_t value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

bool frame_header_decode(const char *bytes, FrameHeader *header) {
    *header = (FrameHeader){
        .length = get_little_endian(bytes),
        .id = get_little_endian(bytes + 4),
        .type = (uint8_t)bytes[8],
        .detail = (uint8_t)bytes[9],
        .value = to_signed(get_little_endian(bytes + 12)),
    };
    return header->length <= FRAME_PAYLOAD_MAX && bytes[10] == 0 && bytes[11] == 0;
}

void frame_header_encode(const FrameHeader *header, char *bytes) {
    memset(bytes, 0, FRAME_HEADER_SIZE);
    put_little_endian(bytes, header->length);
    put_little_endian(bytes + 4, header->id);
    bytes[8] = (char)header->type;
    bytes[9] = (char)header->detail;
    put_little_endian(bytes + 12, (uint32_t)header->value);
}
