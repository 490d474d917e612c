/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "crash/module_map.h"

/* Two tables: while one is being written, any thread may read the other. */
static Module tables[2][MODULES_MAX];
static _Atomic size_t counts[2];
static _Atomic unsigned current;
static const char *_Atomic loading;

#define BY_DESCRIPTOR "/proc/self/fd/"

typedef struct Table {
    Module *modules;
    size_t count;
} Table;

static void copy_name(char *name, const char *path) {
    const char *named = atomic_load(&loading);
    const char *slash;

    if (named != NULL && strncmp(path, BY_DESCRIPTOR, sizeof BY_DESCRIPTOR - 1) == 0)
        path = named;
    slash = strrchr(path, '/');
    if (*path == '\0')
        path = "backworks-runner";
    else if (slash != NULL)
        path = slash + 1;
    (void)strncpy(name, path, MODULE_NAME_MAX - 1);
    name[MODULE_NAME_MAX - 1] = '\0';
}

static int add_module(struct dl_phdr_info *info, size_t size, void *context) {
    Table *table = context;
    Module module = {.start = UINTPTR_MAX, .base = (uintptr_t)info->dlpi_addr};

    (void)size;
    if (table->count == MODULES_MAX)
        return 1;
    for (unsigned index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[index];
        uintptr_t start = module.base + (uintptr_t)segment->p_vaddr;
        uintptr_t end = start + (uintptr_t)segment->p_memsz;

        if (segment->p_type != PT_LOAD)
            continue;
        if (start < module.start)
            module.start = start;
        if (end > module.end)
            module.end = end;
    }
    copy_name(module.name, info->dlpi_name != NULL ? info->dlpi_name : "");
    table->modules[table->count++] = module;
    return 0;
}

void module_map_refresh(void) {
    unsigned next = atomic_load(&current) ^ 1U;
    Table table = {.modules = tables[next]};

    (void)dl_iterate_phdr(add_module, &table);
    atomic_store(&counts[next], table.count);
    atomic_store(&current, next);
}

void module_map_loading(const char *path) {
    atomic_store(&loading, path);
}

const Module *module_map_find(uintptr_t address) {
    unsigned table = atomic_load(&current);
    size_t count = atomic_load(&counts[table]);

    for (size_t index = 0; index < count; index++) {
        if (address >= tables[table][index].start && address < tables[table][index].end)
            return &tables[table][index];
    }
    return NULL;
}
