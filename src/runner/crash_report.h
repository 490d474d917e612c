/*
 * Last words: when the plugin crashes, the server learns where and doing what.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_CRASH_REPORT_H
#define BACKWORKS_RUNNER_CRASH_REPORT_H

#include <stdbool.h>

/*
 * From now on a signal that ends the process is told in a CRASHED frame first, if the output is open.
 * For the main thread this also holds when its stack has overflowed. System calls
 * the sandbox refuses softly only fail, and are noted.
 */
void crash_report_install(void);

/* What the process does now, for the report. The string must live forever. */
void crash_report_phase(const char *phase);

/* Notes which libraries are loaded, so that a report can name them. */
void crash_report_learn_modules(void);

/*
 * Finds a system call that the sandbox has refused since the last time, each number once. False
 * when there is none; costs next to nothing then. `name` may be NULL.
 */
bool crash_report_next_refused_call(int *number, const char **name);

#endif
