/*
 * Systems without crash reports: the server sees the exit status only.
 *
 * SPDX-License-Identifier: MIT
 */
#include "crash/crash_report.h"

void crash_report_install(void) {
}

bool crash_report_is_installed(void) {
    return false;
}

void crash_report_write_to(FILE *stream) {
    (void)stream;
}

void crash_report_loading(const char *path) {
    (void)path;
}

void crash_report_phase(const char *phase) {
    (void)phase;
}

void crash_report_refresh_modules(void) {
}
