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

/* This thread is about to call a hook, which may then fail(). `deadline_us` as below. */
void host_table_begin_call(int64_t deadline_us);

/* The hook has returned. Returns the message of fail(), to be freed; NULL when it was not called. */
char *host_table_end_call(void);

/* Sets the moment, in clock_now_us() time, at which the answer of this thread's call stops mattering. */
void host_table_set_deadline(int64_t deadline_us);

#endif
