/*
 * Frames of protocol.h on the channel: a bounded buffer for frames from the server, and a bounded buffer
 * for frames to the server.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_FRAMES_H
#define BACKWORKS_RUNNER_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/channel.h"
#include "frames/frame_header.h"
#include "frames/shared_page.h"

/* Bytes [start, end) of `bytes` have been read from the channel and not yet returned as frames. */
typedef struct Input {
    char *bytes;
    size_t room;
    size_t start;
    size_t end;
    int64_t arrived_us; /* when the last bytes were read */
} Input;

enum input_result {
    INPUT_FRAME,
    INPUT_INCOMPLETE, /* the next frame has not arrived completely: call input_fill() */
    INPUT_MALFORMED   /* a length or a reserved field breaks the protocol */
};

/* Returns the next frame. Its payload stays valid until the next input_fill(). */
enum input_result input_next(Input *input, FrameHeader *header, const char **payload);

/*
 * Reads as much as the channel holds. Grows the buffer for an incomplete large frame, and shrinks it
 * after one. Call only after INPUT_INCOMPLETE. Ends the process when memory runs out.
 */
enum channel_result input_fill(Input *input);

/*
 * Takes the buffer from the input, when the frame that input_next() returned is large and alone in it.
 * The caller must free the buffer; the payload stays where it is. Returns NULL for any other frame.
 */
char *input_take(Input *input, size_t length);

/* A piece of a payload. */
typedef struct Span {
    const char *bytes;
    size_t length;
} Span;

/* Sets where buffered output is kept. Call once, before any other output function. */
void output_open(SharedPage *shared);

/*
 * Output functions may be called on any thread. They end the process when the channel closes.
 * Frames are buffered until output_flush(), output_begin_wait() or a full buffer, and leave complete and in
 * order. `header.length` need not be set.
 */
void output_send(FrameHeader header, const Span *spans, size_t count);
void output_flush(void);

/* Called when the serving thread is about to wait: until output_end_wait(), every frame leaves at once. */
void output_begin_wait(void);
void output_end_wait(void);

/*
 * Sends one last frame from a signal handler, after as much of the buffered bytes as the channel takes
 * without waiting. The server finds the rest in the shared page. Afterwards no other thread can send.
 * Does nothing when this thread was interrupted while writing, or when another thread does not finish
 * writing in time. Async-signal-safe.
 */
void output_final_frame(const char *frame, size_t length);

/* Sends the buffered frames and ends the process without running code of the library. */
_Noreturn void output_end(int code);

#endif
