/*
 * Takes away what a process inherits and a plugin must not have: descriptors, root, capabilities.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_PRIVILEGES_H
#define BACKWORKS_RUNNER_PRIVILEGES_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/* Each function returns false, with the reason in the report, when it fails. */

/* Closes every descriptor above those of the protocol. */
bool privileges_close_descriptors(const SandboxPolicy *policy, SandboxReport *report);

/* Becomes the policy's user when started as root, and drops every capability. */
bool privileges_drop(const SandboxPolicy *policy, SandboxReport *report);

/* Drops every capability in the process's user namespace. */
bool privileges_drop_capabilities(SandboxReport *report);

/* Keeps other processes of the same user out of this process's memory, and sets no_new_privs. */
bool privileges_lock(const SandboxPolicy *policy, SandboxReport *report);

#endif
