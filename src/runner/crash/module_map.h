/*
 * The address ranges of the loaded libraries, recorded in advance for a signal handler to read.
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
    uintptr_t base; /* address - base = the offset that debuggers and symbol tables use */
    char name[MODULE_NAME_MAX];
} Module;

/* Records the libraries that are loaded now. */
void module_map_refresh(void);

/* The module that holds the address, or NULL. Async-signal-safe. */
const Module *module_map_find(uintptr_t address);

#endif
