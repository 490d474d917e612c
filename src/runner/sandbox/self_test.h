/*
 * Tries operations that the sandbox must refuse.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SELF_TEST_H
#define BACKWORKS_RUNNER_SELF_TEST_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/* Returns false when an operation succeeded; the report lists every such operation. */
bool self_test(const SandboxPolicy *policy, SandboxReport *report);

#endif
