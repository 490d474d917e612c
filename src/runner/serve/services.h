/*
 * Requests of a plugin to the server. They use a socket of their own (descriptor 5), so that an answer
 * never waits behind queued calls.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SERVICES_H
#define BACKWORKS_RUNNER_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames/frames.h"

/* Finds out whether the server offers services. Call before any code of a plugin runs. */
void services_prepare(void);

/* False when descriptor 5 is not a socket, as in a runner that was started by hand. */
bool services_are_offered(void);

/*
 * Sends a request and waits for its answer. Requests of several threads are sent one after another. Ends
 * the process when the server has ended, breaks the protocol, or memory runs out.
 * Returns: the answer's text, valid until the next request of this thread; NULL when there is no answer
 */
const char *services_ask(uint8_t type, const Span *spans, size_t count);

#endif
