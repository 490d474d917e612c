/* SPDX-License-Identifier: MIT */
#include "sandbox/landlock.h"
#include "sandbox/privileges.h"
#include "sandbox/refusals.h"
#include "sandbox/resource_limits.h"
#include "sandbox/sandbox.h"
#include "sandbox/seccomp.h"
#include "sandbox/self_test.h"
#include "sandbox/user_quotas.h"

typedef bool Step(const SandboxPolicy *policy, SandboxReport *report);

/*
 * The order matters. Changing the user resets the dumpable flag to the system's default. A new user
 * namespace copies the limits of this process as limits of its user. Landlock and seccomp need
 * no_new_privs. And the filter refuses what all earlier steps do.
 */
static Step *const steps[] = {
    privileges_close_descriptors, privileges_drop, user_quotas_apply, privileges_lock,
    resource_limits_apply,        landlock_apply,  seccomp_apply,     self_test,
};

bool sandbox_apply(const SandboxPolicy *policy, SandboxReport *report) {
    static const char *const modes[] = {
        [SANDBOX_STRICT] = "strict", [SANDBOX_BEST_EFFORT] = "best-effort", [SANDBOX_OFF] = "off"};

    *report = (SandboxReport){.length = 0};
    sandbox_report_state(report, "mode", "%s", modes[policy->mode]);
    if (policy->mode == SANDBOX_OFF)
        return resource_limits_apply(policy, report);
    for (size_t index = 0; index < sizeof steps / sizeof *steps; index++) {
        if (!steps[index](policy, report) && policy->mode == SANDBOX_STRICT)
            return false;
    }
    refusals_begin();
    return true;
}
