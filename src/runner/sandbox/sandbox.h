/*
 * The sandbox: everything that restricts this process, put on before any code of a plugin runs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SANDBOX_H
#define BACKWORKS_RUNNER_SANDBOX_H

#include <stdbool.h>

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/*
 * Applies the policy to this process for the rest of its life, and tries whether it holds. The
 * process must have one thread, and crash_report_install() must have been called.
 * Returns false when the policy is strict and something it needs is missing; `report->reason` says
 * what. The process must then end: a part of the sandbox may be in force.
 */
bool sandbox_apply(const SandboxPolicy *policy, SandboxReport *report);

#endif
