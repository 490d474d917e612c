/*
 * The main loop: reads frames, calls the library, writes frames.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SERVE_H
#define BACKWORKS_RUNNER_SERVE_H

/* Speaks protocol.h on descriptors 3 and 6 until the connection ends, then ends the process. */
_Noreturn void serve(void);

#endif
