/*
 * What a library says of itself, without being initialized.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_DESCRIBE_H
#define BACKWORKS_RUNNER_DESCRIBE_H

#include <stddef.h>

/*
 * Prints one line of JSON to standard output and ends the process:
 * {"name", "version", "description", "manifest": string | null, "functions": [...], "thread_safe"},
 * or {"error"} with RUNNER_EXIT_LOAD or RUNNER_EXIT_SANDBOX. What the library itself prints goes to
 * standard error. The `count` settings are those of sandbox_policy.h; without any the library is
 * not restricted.
 */
_Noreturn void describe(const char *path, const char *const *settings, size_t count);

#endif
