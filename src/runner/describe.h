/*
 * What a library says of itself, without being initialized.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_DESCRIBE_H
#define BACKWORKS_RUNNER_DESCRIBE_H

/*
 * Prints one line of JSON to standard output and ends the process:
 * {"name", "version", "description", "manifest": string | null, "functions": [...], "thread_safe"},
 * or {"error"} with RUNNER_EXIT_LOAD. What the library itself prints goes to standard error.
 */
_Noreturn void describe(const char *path);

#endif
