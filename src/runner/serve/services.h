/*
 * What a plugin asks of the server: requests and answers on a socket of their own, descriptor 5, so
 * that an answer never waits behind calls that are not the plugin's turn yet.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SERVICES_H
#define BACKWORKS_RUNNER_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames/frames.h"

/* Finds out whether the server offers services. To be called before anything of a plugin. */
void services_prepare(void);

/* False when descriptor 5 is no socket, as in a runner that was started by hand. */
bool services_are_offered(void);

/*
 * Sends a request and waits for its answer; requests of several threads wait for each other. Ends the
 * process when the server is gone, breaks the protocol or there is no memory for the answer.
 * Returns: the answer's text, valid until the next request of this thread; NULL for none.
 */
const char *services_ask(uint8_t type, const Span *spans, size_t count);

#endif
