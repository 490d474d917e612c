/*
 * The functions a plugin may call: BackworksHost of backworks_plugin.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_HOST_TABLE_H
#define BACKWORKS_RUNNER_HOST_TABLE_H

#include <stdint.h>

#include "../../../native-sdk/include/backworks_plugin.h"

#define HOST_NO_DEADLINE INT64_MAX

/* The table. A service that this runner does not offer is NULL. */
const BackworksHost *host_table(void);

/* Call before a hook on this thread; the hook may then fail(). For `deadline_us` see below. */
void host_table_begin_call(int64_t deadline_us);

/* Call after the hook. Returns the message of fail(), which the caller frees, or NULL without fail(). */
char *host_table_end_call(void);

/* Sets the deadline of this thread's call, in the time of clock_now_us(). */
void host_table_set_deadline(int64_t deadline_us);

#endif
