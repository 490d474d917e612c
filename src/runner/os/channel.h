/*
 * The runner's ends of the pipes to the server, and the standard streams beside it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_CHANNEL_H
#define BACKWORKS_RUNNER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum channel_result {
    CHANNEL_OK,
    CHANNEL_CLOSED, /* the server is gone or closed its end */
    CHANNEL_FAILED
};

/*
 * Keeps the channel out of the plugin's child processes, turns a write to a closed channel into
 * CHANNEL_CLOSED, and lets what a plugin prints leave line by line.
 */
void channel_prepare(void);

/* Reads what is there into `into`, waiting for the first byte; CHANNEL_OK means `*got` > 0. */
enum channel_result channel_read(void *into, size_t room, size_t *got);

/* Writes everything, waiting as long as it takes. */
enum channel_result channel_write(const void *bytes, size_t length);

/*
 * Writes everything if that needs no waiting; false when nothing was written, or only a part of it.
 * Async-signal-safe.
 */
bool channel_try_write(const void *bytes, size_t length);

/*
 * Sends everything written to standard output to standard error from now on.
 * Returns a stream to the real standard output, NULL on failure.
 */
FILE *channel_divert_stdout(void);

#endif
