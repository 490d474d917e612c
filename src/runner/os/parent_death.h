/*
 * The runner ends when its server ends, even while a plugin spins.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_PARENT_DEATH_H
#define BACKWORKS_RUNNER_PARENT_DEATH_H

#include <stdbool.h>

/*
 * Ties the life of this process to that of `parent`, the process id of the server, or 0 for whoever
 * started this process. Returns false when that process is already gone.
 */
bool parent_death_arm(long parent);

#endif
