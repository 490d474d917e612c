/*
 * The strings in the payload of a frame.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_ARGUMENTS_H
#define BACKWORKS_RUNNER_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "frames/frame_header.h"
#include "serve/hooks.h"

/* The largest number of arguments in any frame. */
enum { ARGUMENTS_MAX = BATCH_ARGUMENTS_MAX };

/*
 * Values for a frame whose number of strings is not fixed. STRINGS_OF_HOOKS: as many as the frame's hooks
 * take. STRINGS_ANY: any number; the one argument then points to the whole payload.
 */
enum { STRINGS_OF_HOOKS = ARGUMENTS_MAX + 1, STRINGS_ANY };

/* Finds the strings in place. Returns false when the payload does not fit the frame's type. */
bool arguments_find(const FrameHeader *header, const char *payload, size_t strings,
                    const char **arguments);

#endif
