/*
 * Systems that load libraries by path only. The server compares the bytes of the file first, but the
 * file may be replaced before the system loads it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "os/dylib.h"

void *dylib_open_descriptor(int descriptor, const char *path, char *why, size_t room) {
    (void)descriptor;
    return dylib_open(path, why, room);
}

bool dylib_is_file(int descriptor, const char *path) {
    (void)descriptor;
    (void)path;
    return true;
}

void dylib_close_descriptor(int descriptor) {
    (void)descriptor;
}
