/*
 * What holds in this process: strings `mechanism=state`, and `missing=reason` for what does not.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SANDBOX_REPORT_H
#define BACKWORKS_RUNNER_SANDBOX_REPORT_H

#include <stdbool.h>
#include <stddef.h>

enum { SANDBOX_REASON_MAX = 512 };

typedef struct SandboxReport {
    char text[8 * 1024]; /* the strings, each ended by a NUL byte */
    size_t length;
    char reason[SANDBOX_REASON_MAX]; /* why the first missing mechanism is missing, or "" */
} SandboxReport;

/* A mechanism and its state. */
void sandbox_report_state(SandboxReport *report, const char *mechanism, const char *format, ...);

/* A mechanism the policy needs and this system lacks, as a sentence. Returns false. */
bool sandbox_report_missing(SandboxReport *report, const char *format, ...);

#endif
