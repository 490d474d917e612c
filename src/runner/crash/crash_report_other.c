/*
 * Systems on which the exit status has to say it all.
 *
 * SPDX-License-Identifier: MIT
 */
#include "crash/crash_report.h"

void crash_report_install(void) {
}

bool crash_report_is_installed(void) {
    return false;
}

void crash_report_phase(const char *phase) {
    (void)phase;
}

void crash_report_learn_modules(void) {
}
