/*
 * Crash reports: when the plugin crashes, the server learns where and during which function.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_CRASH_REPORT_H
#define BACKWORKS_RUNNER_CRASH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Installs handlers for the signals that end a process. A handler first sends a CRASHED frame with a
 * backtrace, if the output is open, and then lets the signal end the process. Stack overflows are reported too, on the
 * main thread and on the threads of interposed_threads.c. A system call that the sandbox refuses with
 * an error only fails, and is noted in refusals.h.
 */
void crash_report_install(void);

bool crash_report_is_installed(void);

/* Reports from now on are only the payload of CRASHED, written to the descriptor of a stream. */
void crash_report_write_to(FILE *stream);

/* Names the library whose constructors are about to run. The string must live until it is loaded. */
void crash_report_loading(const char *path);

/*
 * Sets the phase that a report names, for example "initialize". A thread that runs calls of its own has
 * its own phase; all other threads share one. The string must live forever.
 */
void crash_report_phase(const char *phase);

/* Lists the loaded libraries again, so that a report can name them. */
void crash_report_refresh_modules(void);

#endif
