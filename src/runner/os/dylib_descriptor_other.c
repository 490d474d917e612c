/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "os/dylib.h"

void *dylib_open_descriptor(int descriptor, const char *path, char *why, size_t room) {
    (void)descriptor;
    (void)snprintf(why, room, "%s: this system loads libraries by path only", path);
    return NULL;
}

bool dylib_is_file(int descriptor, const char *path) {
    (void)descriptor;
    (void)path;
    return false;
}

void dylib_close_descriptor(int descriptor) {
    (void)descriptor;
}
