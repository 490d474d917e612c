/*
 * Prints the system-call filter of a policy, for people and for the test that runs it in user space.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_PRINT_FILTER_H
#define BACKWORKS_RUNNER_PRINT_FILTER_H

/*
 * Prints one instruction per line, as `code if_true if_false operand`, decimal. Arguments:
 * [--arch x86_64|arm64] [--pid PID] KEY=VALUE..., up to a NULL. Returns an enum runner_exit.
 */
int print_filter(const char *const *arguments);

#endif
