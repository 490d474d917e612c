/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "os/dylib.h"
#include "library/library.h"
#include "protocol.h"
#include "library/text.h"

static bool refuse(LibraryFailure *failure, enum failure kind, const char *format, ...) {
    va_list arguments;

    failure->kind = (uint8_t)kind;
    va_start(arguments, format);
    (void)vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    return false;
}

static const char *or_empty(const char *text) {
    return text != NULL ? text : "";
}

/* Copies the whole members that both the library's table and this runner know. */
static void read_extensions(BackworksExtensions *ours, const BackworksExtensions *theirs) {
    size_t size = theirs->size < sizeof *ours ? theirs->size : sizeof *ours;

    memcpy(ours, theirs, size - size % sizeof(void *));
}

static uint32_t find_functions(const PluginVTable *vtable, const BackworksExtensions *extensions) {
    uint32_t found = 0;

    found |= vtable->initialize != NULL ? FUNCTION_INITIALIZE : 0u;
    found |= vtable->shutdown != NULL ? FUNCTION_SHUTDOWN : 0u;
    found |= vtable->health_check != NULL ? FUNCTION_HEALTH_CHECK : 0u;
    found |= vtable->before_request != NULL ? FUNCTION_BEFORE_REQUEST : 0u;
    found |= vtable->after_response != NULL ? FUNCTION_AFTER_RESPONSE : 0u;
    found |= vtable->process_endpoint != NULL ? FUNCTION_PROCESS_ENDPOINT : 0u;
    found |= extensions->manifest != NULL ? FUNCTION_MANIFEST : 0u;
    found |= extensions->free_string != NULL ? FUNCTION_FREE_STRING : 0u;
    found |= extensions->last_error != NULL ? FUNCTION_LAST_ERROR : 0u;
    found |= extensions->bind_host != NULL ? FUNCTION_BIND_HOST : 0u;
    found |= extensions->call != NULL ? FUNCTION_CALL : 0u;
    found |= extensions->reconfigure != NULL ? FUNCTION_RECONFIGURE : 0u;
    found |= (extensions->flags & BACKWORKS_THREAD_SAFE) != 0 ? FLAG_THREAD_SAFE : 0u;
    return found;
}

/* True when the library's own strings fit into one LOADED frame. */
static bool describes_itself_briefly(const Library *library) {
    const char *texts[] = {library->info.name, library->info.version, library->info.description,
                           or_empty(library->manifest)};
    size_t left = FRAME_PAYLOAD_MAX;

    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
        size_t size = text_length(texts[index], left) + 1;

        if (size > left)
            return false;
        left -= size;
    }
    return true;
}

static void *load_same_file(const char *path, LibraryFailure *failure) {
    void *dylib = NULL;

    if (dylib_is_file(LIBRARY_DESCRIPTOR, path))
        dylib = dylib_open(path, failure->text, sizeof failure->text);
    else
        (void)refuse(failure, FAILURE_LOAD, "%s: the file was replaced before it was loaded", path);
    if (dylib == NULL || dylib_is_file(LIBRARY_DESCRIPTOR, path))
        return dylib;
    (void)refuse(failure, FAILURE_LOAD, "%s: the file was replaced while it was being loaded",
                 path);
    return NULL;
}

static void *load(const char *path, unsigned from, LibraryFailure *failure) {
    switch (from) {
    case LOAD_DESCRIPTOR:
        return dylib_open_descriptor(LIBRARY_DESCRIPTOR, path, failure->text, sizeof failure->text);
    case LOAD_SAME_FILE:
        return load_same_file(path, failure);
    default:
        dylib_close_descriptor(LIBRARY_DESCRIPTOR);
        return dylib_open(path, failure->text, sizeof failure->text);
    }
}

bool library_open(Library *library, const char *path, unsigned from, LibraryFailure *failure) {
    void *dylib = load(path, from, failure);
    PluginInfo (*info)(void);
    PluginVTable (*vtable)(void);
    const BackworksExtensions *(*extensions)(void);
    const BackworksExtensions *table;

    dylib_close_descriptor(LIBRARY_DESCRIPTOR);
    failure->kind = FAILURE_LOAD;
    if (dylib == NULL)
        return false;
    info = (PluginInfo (*)(void))dylib_function(dylib, "plugin_info");
    vtable = (PluginVTable (*)(void))dylib_function(dylib, "plugin_vtable");
    extensions =
        (const BackworksExtensions *(*)(void))dylib_function(dylib, "backworks_extensions");
    if (info == NULL || vtable == NULL) {
        const char *missing = info == NULL ? "plugin_info" : "plugin_vtable";

        return refuse(failure, FAILURE_LOAD, "%s: not a plugin, it exports no %s()", path, missing);
    }

    *library = (Library){.info = info(), .vtable = vtable()};
    library->info.name = or_empty(library->info.name);
    library->info.version = or_empty(library->info.version);
    library->info.description = or_empty(library->info.description);
    table = extensions != NULL ? extensions() : NULL;
    if (table != NULL)
        read_extensions(&library->extensions, table);
    if (library->extensions.abi_version > BACKWORKS_ABI_VERSION)
        return refuse(failure, FAILURE_ABI, "it needs plugin ABI %u, this host has %u",
                      (unsigned)library->extensions.abi_version, BACKWORKS_ABI_VERSION);
    if (library->extensions.manifest != NULL)
        library->manifest = library->extensions.manifest();
    library->functions = find_functions(&library->vtable, &library->extensions);
    if (!describes_itself_briefly(library))
        return refuse(failure, FAILURE_LOAD, "%s: its description and manifest exceed %d bytes",
                      path, (int)FRAME_PAYLOAD_MAX);
    return true;
}

bool library_bind_host(const Library *library, const BackworksHost *host, LibraryFailure *failure) {
    int32_t status;
    const char *reason;

    if (library->extensions.bind_host == NULL)
        return true;
    status = library->extensions.bind_host(host);
    if (status == 0)
        return true;
    reason = library_last_error(library);
    if (reason == NULL)
        return refuse(failure, FAILURE_ABI, "bind_host() returned %d", (int)status);
    return refuse(failure, FAILURE_ABI, "bind_host() returned %d: %s", (int)status, reason);
}

bool library_has(const Library *library, uint32_t function) {
    return (library->functions & function) != 0;
}

uint32_t library_hook_function(unsigned hook) {
    static const uint32_t functions[HOOK_COUNT] = {
        [HOOK_BEFORE_REQUEST] = FUNCTION_BEFORE_REQUEST,
        [HOOK_AFTER_RESPONSE] = FUNCTION_AFTER_RESPONSE,
        [HOOK_PROCESS_ENDPOINT] = FUNCTION_PROCESS_ENDPOINT,
        [HOOK_OPERATION] = FUNCTION_CALL,
    };

    return functions[hook];
}

size_t library_hook_arguments(unsigned hook) {
    static const size_t counts[HOOK_COUNT] = {
        [HOOK_BEFORE_REQUEST] = 1,
        [HOOK_AFTER_RESPONSE] = 1,
        [HOOK_PROCESS_ENDPOINT] = HOOK_ARGUMENTS_MAX,
        [HOOK_OPERATION] = 2,
    };

    return hook < HOOK_COUNT ? counts[hook] : 0;
}

const char *library_hook_name(unsigned hook) {
    static const char *const names[HOOK_COUNT] = {
        [HOOK_BEFORE_REQUEST] = "before_request",
        [HOOK_AFTER_RESPONSE] = "after_response",
        [HOOK_PROCESS_ENDPOINT] = "process_endpoint",
        [HOOK_OPERATION] = "call",
    };

    return names[hook];
}

const char *library_call(const Library *library, unsigned hook, const char *const *arguments) {
    switch (hook) {
    case HOOK_BEFORE_REQUEST:
        return library->vtable.before_request(arguments[0]);
    case HOOK_AFTER_RESPONSE:
        return library->vtable.after_response(arguments[0]);
    case HOOK_PROCESS_ENDPOINT:
        return library->vtable.process_endpoint(arguments[0], arguments[1], arguments[2]);
    default:
        return library->extensions.call(arguments[0], arguments[1]);
    }
}

void library_free_string(const Library *library, const char *string) {
    if (library->extensions.free_string != NULL)
        library->extensions.free_string(string);
}

const char *library_last_error(const Library *library) {
    return library->extensions.last_error != NULL ? library->extensions.last_error() : NULL;
}
