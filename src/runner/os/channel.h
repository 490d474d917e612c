/*
 * The runner's ends of the pipes to the server, and the standard streams.
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
    CHANNEL_CLOSED, /* the server ended or closed its end */
    CHANNEL_FAILED
};

/*
 * Keeps child processes of the plugin from inheriting the channel, makes a write to a closed channel
 * return CHANNEL_CLOSED, and makes standard output line-buffered.
 */
void channel_prepare(void);

/* Waits for the first byte, then reads what is available. CHANNEL_OK means `*got` > 0. */
enum channel_result channel_read(void *into, size_t room, size_t *got);

/* Writes everything. Waits as long as necessary. */
enum channel_result channel_write(const void *bytes, size_t length);

/*
 * Writes everything if that is possible without waiting. False when nothing, or only a part, was
 * written. Async-signal-safe.
 */
bool channel_try_write(const void *bytes, size_t length);

/*
 * Redirects standard output to standard error from now on.
 * Returns: a stream to the real standard output; NULL on failure
 */
FILE *channel_divert_stdout(void);

#endif
