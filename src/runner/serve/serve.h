/*
 * Serving: frames in, calls of the library, frames out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SERVE_H
#define BACKWORKS_RUNNER_SERVE_H

/* Speaks protocol.h on descriptors 3 and 6 until the conversation ends, and the process with it. */
_Noreturn void serve(void);

#endif
