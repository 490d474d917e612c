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
 * This also holds for a stack that has overflowed, on the main thread and on threads of
 * interposed_threads.c. System calls
 * the sandbox refuses softly only fail, and are noted in refusals.h.
 */
void crash_report_install(void);

/* Whether it was. */
bool crash_report_is_installed(void);

/*
 * What the process does now, or this thread where it runs calls of its own, for the report. The string
 * must live forever.
 */
void crash_report_phase(const char *phase);

/* Notes which libraries are loaded, so that a report can name them. */
void crash_report_learn_modules(void);

#endif
