/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/sandbox_report.h"

/* Adds one string. There is room for every mechanism; a reason that is too long is left out. */
static void add(SandboxReport *report, const char *name, const char *state) {
    size_t room = sizeof report->text - report->length;
    int size = snprintf(report->text + report->length, room, "%s=%s", name, state);

    if (size >= 0 && (size_t)size < room)
        report->length += (size_t)size + 1;
}

void sandbox_report_state(SandboxReport *report, const char *mechanism, const char *format, ...) {
    char state[SANDBOX_REASON_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(state, sizeof state, format, arguments);
    va_end(arguments);
    add(report, mechanism, state);
}

bool sandbox_report_missing(SandboxReport *report, const char *format, ...) {
    char reason[SANDBOX_REASON_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    add(report, "missing", reason);
    if (report->reason[0] == '\0')
        memcpy(report->reason, reason, sizeof reason);
    return false;
}
