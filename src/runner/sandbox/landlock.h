/*
 * Files and TCP ports, closed but for those of the policy: Linux Landlock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_LANDLOCK_H
#define BACKWORKS_RUNNER_LANDLOCK_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/* False, with reasons in the report, when a part of the policy cannot be enforced. */
bool landlock_apply(const SandboxPolicy *policy, SandboxReport *report);

#endif
