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

/* The table; services this runner does not offer are NULL. */
const BackworksHost *host_table(void);

/* Sets the moment, in clock_now_us() time, at which the answer of this thread's call stops mattering. */
void host_table_set_deadline(int64_t deadline_us);

#endif
