/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "lock.h"
#include "protocol.h"

enum { OUTPUT_ROOM = 64 * 1024 };

static char held[OUTPUT_ROOM];
static size_t held_length;
static bool resting;
/* Whether a thread is between begin() and end(); for output_held(). */
static atomic_bool busy;

static void begin(void) {
    lock_acquire();
    atomic_store_explicit(&busy, true, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

static void end(void) {
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&busy, false, memory_order_relaxed);
    lock_release();
}

static void write_out(const char *bytes, size_t length) {
    enum channel_result result = channel_write(bytes, length);

    /* The server closing the channel is how it says that it needs this process no longer. */
    if (result != CHANNEL_OK)
        _Exit(result == CHANNEL_CLOSED ? RUNNER_EXIT_OK : RUNNER_EXIT_IO);
}

static void write_held(void) {
    size_t length = held_length;

    held_length = 0;
    write_out(held, length);
}

/* A piece that is larger than the buffer goes straight from the plugin's memory to the socket. */
static void hold(const char *bytes, size_t length) {
    if (length > OUTPUT_ROOM - held_length)
        write_held();
    if (length > OUTPUT_ROOM) {
        write_out(bytes, length);
        return;
    }
    if (length > 0)
        memcpy(held + held_length, bytes, length);
    held_length += length;
}

static void put_little_endian(char *into, uint32_t number) {
    for (unsigned byte = 0; byte < 4; byte++)
        into[byte] = (char)(unsigned char)(number >> (8 * byte));
}

void output_send(FrameHeader header, const Span *spans, size_t count) {
    char bytes[FRAME_HEADER_SIZE] = {0};
    size_t length = 0;

    for (size_t index = 0; index < count; index++)
        length += spans[index].length;
    put_little_endian(bytes, (uint32_t)length);
    put_little_endian(bytes + 4, header.id);
    bytes[8] = (char)header.type;
    bytes[9] = (char)header.detail;
    put_little_endian(bytes + 12, (uint32_t)header.value);

    begin();
    hold(bytes, sizeof bytes);
    for (size_t index = 0; index < count; index++)
        hold(spans[index].bytes, spans[index].length);
    if (resting)
        write_held();
    end();
}

void output_flush(void) {
    begin();
    write_held();
    end();
}

void output_rest(void) {
    begin();
    write_held();
    resting = true;
    end();
}

void output_wake(void) {
    begin();
    resting = false;
    end();
}

const char *output_held(size_t *length) {
    if (atomic_load(&busy))
        return NULL;
    *length = held_length;
    return held;
}

_Noreturn void output_end(int code) {
    output_flush();
    _Exit(code);
}
