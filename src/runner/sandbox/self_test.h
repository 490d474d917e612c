/*
 * Tries what a plugin must not be able to do.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SELF_TEST_H
#define BACKWORKS_RUNNER_SELF_TEST_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/* False, with each thing that worked in the report, when the sandbox does not hold. */
bool self_test(const SandboxPolicy *policy, SandboxReport *report);

#endif
