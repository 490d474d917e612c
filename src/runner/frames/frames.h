/*
 * Frames of protocol.h on the channel: a bounded buffer for what the server sends, and one for what
 * is sent to it.
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

/* Bytes [start, end) of `bytes` have been read and not yet been handed out. */
typedef struct Input {
    char *bytes;
    size_t room;
    size_t start;
    size_t end;
    int64_t arrived_us; /* when the last bytes were read */
} Input;

enum input_result {
    INPUT_FRAME,
    INPUT_INCOMPLETE, /* the next frame has not arrived whole: input_fill() */
    INPUT_MALFORMED   /* a length or a reserved field breaks the protocol */
};

/* The next frame. Its payload stays where it is until the next input_fill(). */
enum input_result input_next(Input *input, FrameHeader *header, const char **payload);

/*
 * Reads as much as is there. Makes room for the frame that is incomplete and gives back the room of
 * one that was huge. Only to be called after INPUT_INCOMPLETE. Ends the process without memory.
 */
enum channel_result input_fill(Input *input);

/*
 * The memory of a frame that input_next() gave and that fills the input alone: it is the caller's to
 * free, and the payload stays where it is. NULL for any other frame.
 */
char *input_take(Input *input, size_t length);

/* A piece of a payload. */
typedef struct Span {
    const char *bytes;
    size_t length;
} Span;

/* Where the output keeps what is held back. Called once, before any other function of it. */
void output_open(SharedPage *shared);

/*
 * Functions of the output may be called on any thread and end the process when the channel does.
 * Frames are held back until output_flush(), output_rest() or a full buffer, and leave whole and in
 * order. `header.length` need not be set.
 */
void output_send(FrameHeader header, const Span *spans, size_t count);
void output_flush(void);

/* The serving thread is about to wait: nothing may be held back until it calls output_wake(). */
void output_rest(void);
void output_wake(void);

/*
 * For a signal handler: one more frame, whole, and whatever of the held back bytes goes out without
 * waiting; the server finds the rest in the shared page. No other thread sends anything from then on.
 * Nothing happens when this thread is in the middle of writing, or another does not get done with it.
 * Async-signal-safe.
 */
void output_last_words(const char *frame, size_t length);

/* Sends what is held back and ends the process without running anything of the library's. */
_Noreturn void output_end(int code);

#endif
