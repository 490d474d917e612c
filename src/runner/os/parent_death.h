/*
 * Ends the runner when its server ends, even while a plugin is in an endless loop.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_PARENT_DEATH_H
#define BACKWORKS_RUNNER_PARENT_DEATH_H

#include <stdbool.h>

/*
 * Ends this process when the process with id `parent` ends; 0 means the process that started this one.
 * Returns false when that process has already ended.
 */
bool parent_death_arm(long parent);

#endif
