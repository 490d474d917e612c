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

/*
 * Records the libraries that are loaded now. Takes a lock of the loader that one thread can take again.
 * Only in a process that is about to end may a signal handler call it.
 */
void module_map_refresh(void);

/* The path of a library that is being loaded by a descriptor, which the loader calls /proc/self/fd/N. */
void module_map_loading(const char *path);

/* The module that holds the address, or NULL. Async-signal-safe. */
const Module *module_map_find(uintptr_t address);

#endif
