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

/* Arguments the frame with the most of them has. */
enum { ARGUMENTS_MAX = BATCH_ARGUMENTS_MAX };

/* How many strings there are where that is no plain number: as many as the hooks take that a frame calls;
 * or one argument, the strings as they lie in the payload. */
enum { STRINGS_OF_HOOKS = ARGUMENTS_MAX + 1, STRINGS_ANY };

/* Finds the strings where they lie. False when they are not what the frame's type demands. */
bool arguments_find(const FrameHeader *header, const char *payload, size_t strings,
                    const char **arguments);

#endif
