/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "os/dylib.h"

void *dylib_open(const char *path, char *why, size_t room) {
    /* RTLD_NOW: an unresolved symbol fails here, not in the middle of a request. */
    void *dylib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (dylib == NULL) {
        const char *reason = dlerror();

        (void)snprintf(why, room, "%s",
                       reason != NULL ? reason : "dlopen() failed without a reason");
    }
    return dylib;
}

DylibFunction dylib_function(void *dylib, const char *name) {
    void *address = dlsym(dylib, name);
    DylibFunction function;

    /* ISO C has no cast from object pointers to function pointers. POSIX guarantees the same form. */
    _Static_assert(sizeof function == sizeof address, "function pointers fit into void *");
    memcpy(&function, &address, sizeof function);
    return function;
}
