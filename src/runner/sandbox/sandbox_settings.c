/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sandbox/sandbox_settings.h"

/* Room for full lists, and for every other setting once. */
enum { SETTINGS_MAX = 4 * SANDBOX_LIST_MAX + 16 };

bool sandbox_apply_list(const char *const *settings, size_t count, SandboxReport *report) {
    SandboxPolicy policy;

    *report = (SandboxReport){.length = 0};
    return sandbox_policy_parse(&policy, settings, count, report->reason) &&
           sandbox_apply(&policy, report);
}

bool sandbox_apply_settings(const char *settings, size_t length, SandboxReport *report) {
    static const char *each[SETTINGS_MAX];
    const char *end = settings + length;
    size_t count = 0;

    for (const char *setting = settings; setting < end; setting += strlen(setting) + 1) {
        if (count == SETTINGS_MAX) {
            *report = (SandboxReport){.length = 0};
            return sandbox_report_missing(report, "more than %d settings", (int)SETTINGS_MAX);
        }
        each[count++] = setting;
    }
    return sandbox_apply_list(each, count, report);
}
