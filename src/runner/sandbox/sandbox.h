/*
 * The sandbox: everything that restricts this process, applied before any code of a plugin runs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SANDBOX_H
#define BACKWORKS_RUNNER_SANDBOX_H

#include <stdbool.h>

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/*
 * Applies the policy to this process for the rest of its life, then tests that it works. The process
 * must have only one thread, and crash_report_install() must have been called.
 * Returns false when the policy is strict and something it needs is missing; `report->reason` names
 * the missing thing. The process must then end, because a part of the sandbox may be active.
 */
bool sandbox_apply(const SandboxPolicy *policy, SandboxReport *report);

#endif
