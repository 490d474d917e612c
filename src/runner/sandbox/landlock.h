/*
 * Linux Landlock: closes all files and TCP ports except those of the policy.
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
