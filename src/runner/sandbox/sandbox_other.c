/*
 * Systems without Landlock and seccomp: no sandbox is implemented for them yet.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox/sandbox.h"

bool sandbox_apply(const SandboxPolicy *policy, SandboxReport *report) {
    static const char *const modes[] = {
        [SANDBOX_STRICT] = "strict", [SANDBOX_BEST_EFFORT] = "best-effort", [SANDBOX_OFF] = "off"};

    *report = (SandboxReport){.length = 0};
    sandbox_report_state(report, "mode", "%s", modes[policy->mode]);
    if (policy->mode == SANDBOX_OFF)
        return true;
    (void)sandbox_report_missing(report, "this system has neither Landlock nor seccomp: files, "
                                         "network and processes are not limited");
    (void)sandbox_report_missing(report, "resource limits are not set on this system: memory, "
                                         "open_files, threads and file_size are not limited");
    return policy->mode == SANDBOX_BEST_EFFORT;
}
