/*
 * The state of the sandbox: strings `mechanism=state`, and `missing=reason` for what is missing.
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

void sandbox_report_state(SandboxReport *report, const char *mechanism, const char *format, ...);

/* Adds something the policy needs and this system lacks, as a sentence. Returns false. */
bool sandbox_report_missing(SandboxReport *report, const char *format, ...);

#endif
