/*
 * Which code lies where, written down while it is safe to ask, for a signal handler to read.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_MODULE_MAP_H
#define BACKWORKS_RUNNER_MODULE_MAP_H

#include <stddef.h>
#include <stdint.h>

enum { MODULES_MAX = 128, MODULE_NAME_MAX = 64 };

typedef struct Module {
    uintptr_t start;
    uintptr_t end;
    uintptr_t base; /* an address less this is the offset that debuggers and symbol tables use */
    char name[MODULE_NAME_MAX];
} Module;

/* Writes down the libraries that are loaded now. */
void module_map_learn(void);

/* The module that holds the address, or NULL. Async-signal-safe. */
const Module *module_map_find(uintptr_t address);

#endif
