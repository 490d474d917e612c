/*
 * What a process inherits and a plugin must not have: descriptors, a user, capabilities.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_PRIVILEGES_H
#define BACKWORKS_RUNNER_PRIVILEGES_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/* Each returns false, with the reason in the report, when it cannot. */

/* Closes every descriptor above the protocol's. */
bool privileges_close_descriptors(const SandboxPolicy *policy, SandboxReport *report);

/* Becomes an ordinary user when started as root, and gives up every capability. */
bool privileges_drop(const SandboxPolicy *policy, SandboxReport *report);

/* Gives up every capability in the process's user namespace. */
bool privileges_drop_capabilities(SandboxReport *report);

/* Keeps other processes of the user out of this one's memory, and set-id programs from helping. */
bool privileges_lock(const SandboxPolicy *policy, SandboxReport *report);

#endif
