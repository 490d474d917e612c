/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/dylib.h"

enum { DESCRIPTOR_PATH_MAX = 32 };

/* The loader's messages contain the name the file was opened by; replaces it by `path`. */
static void replace_name(char *why, size_t room, const char *name, const char *path) {
    char *copy = strdup(why);
    const char *at = copy != NULL ? strstr(copy, name) : NULL;

    if (at != NULL)
        (void)snprintf(why, room, "%.*s%s%s", (int)(at - copy), copy, path, at + strlen(name));
    free(copy);
}

/*
 * Sets the name in the loader's list, which dladdr(), dl_iterate_phdr() and debuggers read. In every
 * other process, /proc/self/fd/N would mean another file.
 */
static void rename_loaded(void *dylib, const char *path) {
    struct link_map *map;
    char *name = strdup(path);

    if (name != NULL && dlinfo(dylib, RTLD_DI_LINKMAP, &map) == 0)
        map->l_name = name;
    else
        free(name);
}

void *dylib_open_descriptor(int descriptor, const char *path, char *why, size_t room) {
    char name[DESCRIPTOR_PATH_MAX];
    void *dylib;

    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    dylib = dylib_open(name, why, room);
    if (dylib != NULL)
        rename_loaded(dylib, path);
    else
        replace_name(why, room, name, path);
    return dylib;
}

bool dylib_is_file(int descriptor, const char *path) {
    struct stat opened, named;

    return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

void dylib_close_descriptor(int descriptor) {
    (void)close(descriptor);
}
