/*
 * Plugin libraries that exist in memory only. Each letter of a library's path is a property of the library.
 * The first byte of a hook's first argument selects what the hook does.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "../../../native-sdk/include/backworks_plugin.h"
#include "../../../src/runner/os/dylib.h"
#include "in_memory.h"

enum { STRINGS_MAX = 4096, LONG_UNIT = 512, LONG_MAX = 256 * LONG_UNIT };

const char *const *in_memory_texts;

static const char *properties;
static const BackworksHost *host;
static char *strings[STRINGS_MAX];
static size_t string_count;

static bool is(char property) {
    return strchr(properties, property) != NULL;
}

static const char *give(const char *text, size_t length) {
    char *string = malloc(length + 1);

    memcpy(string, text, length);
    string[length] = '\0';
    if (string_count == STRINGS_MAX)
        in_memory_free_strings();
    strings[string_count++] = string;
    return string;
}

void in_memory_free_strings(void) {
    while (string_count > 0)
        free(strings[--string_count]);
}

static void free_string(const char *string) {
    if (string_count == 0 || strings[string_count - 1] != string)
        fuzz_fail("the runner freed a string other than the last returned string");
    free(strings[--string_count]);
}

/* Sizes from nothing to twice the ring. */
static const char *long_reply(const char *argument) {
    static char text[LONG_MAX];

    memset(text, 'x', sizeof text);
    return give(text, (size_t)(unsigned char)*argument * LONG_UNIT);
}

static const char *behave(const char *argument) {
    /* A real plugin could crash here. */
    in_memory_check_kill();
    switch (*argument) {
    case 'N':
        return NULL;
    case 'B':
        return long_reply(argument + 1);
    case 'L':
        if (host != NULL)
            host->log(argument[1], argument + 1);
        break;
    case 'M':
        if (host != NULL)
            host->metric(argument + 1, (double)(unsigned char)argument[1] / 3);
        break;
    case 'D':
        if (host != NULL && (host->deadline_left_ms() < -1 || host->cancelled() > 1))
            fuzz_fail("the host reports an impossible deadline");
        break;
    default:
        break;
    }
    return give(argument, strlen(argument));
}

static const char *three(const char *endpoint, const char *method, const char *data) {
    if (strlen(method) + strlen(data) == 0)
        return NULL;
    return behave(endpoint);
}

static const char *two(const char *operation, const char *payload) {
    return *operation == '\0' ? behave(payload) : behave(operation);
}

static int32_t status(const char *config) {
    in_memory_check_kill();
    return *config == 'F' ? 1 : 0;
}

static int32_t zero(void) {
    return is('u') ? -1 : 0;
}

static const char *manifest(void) {
    return in_memory_texts != NULL ? in_memory_texts[3] : "{}";
}

static int32_t bind(const BackworksHost *table) {
    host = table;
    return is('b') ? 7 : 0;
}

static const char *last_error(void) {
    return is('t') ? NULL : properties;
}

static PluginInfo info(void) {
    static const char *const usual[] = {"name", "1.0.0", NULL};
    const char *const *texts = in_memory_texts != NULL ? in_memory_texts : usual;

    return (PluginInfo){texts[0], texts[1], texts[2]};
}

static PluginVTable vtable(void) {
    if (is('z'))
        return (PluginVTable){.initialize = NULL};
    return (PluginVTable){status, zero, zero, behave, behave, three};
}

static const BackworksExtensions *extensions(void) {
    static BackworksExtensions table;

    table = (BackworksExtensions){
        .size = is('s') ? sizeof table / 2 : sizeof table,
        .abi_version = is('n') ? BACKWORKS_ABI_VERSION + 1 : BACKWORKS_ABI_VERSION,
        .manifest = manifest,
        .free_string = is('f') ? NULL : free_string,
        .last_error = is('w') ? NULL : last_error,
        .bind_host = bind,
        .call = two,
        .reconfigure = is('r') ? NULL : status,
    };
    return is('y') ? NULL : &table;
}

void *dylib_open(const char *path, char *why, size_t room) {
    static char copy[256];

    (void)snprintf(copy, sizeof copy, "%s", path);
    properties = copy;
    host = NULL;
    if (is('d')) {
        (void)snprintf(why, room, "%s", path);
        return NULL;
    }
    return copy;
}

void *dylib_open_descriptor(int descriptor, const char *path, char *why, size_t room) {
    (void)descriptor;
    return dylib_open(path, why, room);
}

/* "x": the path leads to another file. */
bool dylib_is_file(int descriptor, const char *path) {
    (void)descriptor;
    return strchr(path, 'x') == NULL;
}

void dylib_close_descriptor(int descriptor) {
    (void)descriptor;
}

DylibFunction dylib_function(void *dylib, const char *name) {
    (void)dylib;
    if (strcmp(name, "plugin_info") == 0)
        return is('i') ? NULL : (DylibFunction)info;
    if (strcmp(name, "plugin_vtable") == 0)
        return is('v') ? NULL : (DylibFunction)vtable;
    return is('e') ? NULL : (DylibFunction)extensions;
}
