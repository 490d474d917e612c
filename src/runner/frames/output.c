/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "os/channel.h"
#include "frames/frames.h"
#include "os/lock.h"
#include "protocol.h"

/*
 * Buffered bytes [sent, produced) of the stream lie in the answer ring of the shared page. The server
 * finds them there when this process is killed before it has written them.
 */
static SharedPage *page;
static uint64_t sent;
static bool waiting;
/* True while this thread is between begin() and end(). Read by output_final_frame(). */
static _Thread_local volatile bool busy;
/* output_final_frame() holds the lock and never releases it. */
static bool final_lock_held;

/* How long output_final_frame() waits for another thread to finish writing. */
enum { FINAL_LOCK_WAIT_MS = 50 };

void output_open(SharedPage *shared) {
    page = shared;
}

static uint64_t produced(void) {
    return atomic_load_explicit(&page->produced, memory_order_relaxed);
}

/* The server may read the ring at any moment, so the bytes are written before the count that covers them. */
static void produce(uint64_t count) {
    atomic_store_explicit(&page->produced, produced() + count, memory_order_release);
}

static void begin(void) {
    lock_acquire();
    busy = true;
    atomic_signal_fence(memory_order_seq_cst);
}

static void end(void) {
    atomic_signal_fence(memory_order_seq_cst);
    busy = false;
    lock_release();
}

static void write_out(const char *bytes, size_t length) {
    enum channel_result result = channel_write(bytes, length);

    /* A server that no longer needs this process closes the channel. */
    if (result != CHANNEL_OK)
        _Exit(result == CHANNEL_CLOSED ? RUNNER_EXIT_OK : RUNNER_EXIT_IO);
}

/* The longest contiguous run of buffered bytes. */
static size_t held_run(const char **bytes) {
    size_t start = (size_t)(sent % ANSWER_RING_SIZE);
    size_t length = (size_t)(produced() - sent);

    *bytes = page->ring + start;
    return length < ANSWER_RING_SIZE - start ? length : ANSWER_RING_SIZE - start;
}

static void write_held(void) {
    const char *bytes;
    size_t length;

    while ((length = held_run(&bytes)) > 0) {
        write_out(bytes, length);
        sent += length;
    }
}

static void copy_into_ring(const char *bytes, size_t length) {
    size_t start = (size_t)(produced() % ANSWER_RING_SIZE);
    size_t straight = length < ANSWER_RING_SIZE - start ? length : ANSWER_RING_SIZE - start;

    if (straight > 0)
        memcpy(page->ring + start, bytes, straight);
    if (length > straight)
        memcpy(page->ring, bytes + straight, length - straight);
    produce(length);
}

/* A piece larger than the ring goes straight from the plugin's memory to the server. */
static void hold(const char *bytes, size_t length) {
    if (length > ANSWER_RING_SIZE - (size_t)(produced() - sent))
        write_held();
    if (length <= ANSWER_RING_SIZE) {
        copy_into_ring(bytes, length);
        return;
    }
    write_out(bytes, length);
    produce(length);
    sent += length;
}

void output_send(FrameHeader header, const Span *spans, size_t count) {
    char bytes[FRAME_HEADER_SIZE];

    header.length = 0;
    for (size_t index = 0; index < count; index++)
        header.length += (uint32_t)spans[index].length;
    frame_header_encode(&header, bytes);

    begin();
    hold(bytes, sizeof bytes);
    for (size_t index = 0; index < count; index++)
        hold(spans[index].bytes, spans[index].length);
    if (waiting)
        write_held();
    end();
}

void output_flush(void) {
    begin();
    write_held();
    end();
}

void output_begin_wait(void) {
    begin();
    write_held();
    waiting = true;
    end();
}

void output_end_wait(void) {
    begin();
    waiting = false;
    end();
}

/* Keeps other threads from writing until the process ends. False when one does not finish in time. */
static bool begin_final_frame(void) {
    if (!final_lock_held)
        final_lock_held = lock_try(FINAL_LOCK_WAIT_MS);
    return final_lock_held;
}

void output_final_frame(const char *frame, size_t length) {
    const char *bytes;
    size_t left;

    /* In the middle of another frame, this frame cannot be sent. */
    if (busy || page == NULL || !begin_final_frame() ||
        length > ANSWER_RING_SIZE - (size_t)(produced() - sent))
        return;
    copy_into_ring(frame, length);
    while ((left = held_run(&bytes)) > 0 && channel_try_write(bytes, left))
        sent += left;
}

_Noreturn void output_end(int code) {
    output_flush();
    _Exit(code);
}
