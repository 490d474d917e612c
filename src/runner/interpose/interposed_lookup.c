/* SPDX-License-Identifier: MIT */
#include "interpose/interpose.h"

#include <dlfcn.h>

void find_next(void *function, const char *name) {
    void *found = dlsym(RTLD_NEXT, name);

    memcpy(function, &found, sizeof found);
}
