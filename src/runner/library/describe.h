/*
 * Describes a library without initializing it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_DESCRIBE_H
#define BACKWORKS_RUNNER_DESCRIBE_H

#include <stddef.h>

/*
 * Prints one line of JSON to standard output and ends the process:
 * {"name", "version", "description", "manifest": string | null, "functions": [...], "thread_safe"},
 * or {"error"} with RUNNER_EXIT_LOAD or RUNNER_EXIT_SANDBOX. Output of the library itself goes to
 * standard error. The `count` settings are settings of sandbox_policy.h; without settings the library
 * is not restricted.
 */
_Noreturn void describe(const char *path, const char *const *settings, size_t count);

#endif
