/*
 * A call: what a function of the plugin is given, and what it answers with. Everything that is made for a
 * call is freed when the call is over.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_C_CALL_H
#define BACKWORKS_C_CALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <backworks_plugin.h>

#include "../shared/arena.h"
#include "../shared/document.h"

/* setjmp() that leaves the signal mask alone, which would cost a system call. */
#if defined(__APPLE__) || defined(__FreeBSD__)
#define BACKWORKS_SETJMP _setjmp
#define BACKWORKS_LONGJMP _longjmp
#else
#define BACKWORKS_SETJMP setjmp
#define BACKWORKS_LONGJMP longjmp
#endif

#if defined(__GNUC__)
#define BACKWORKS_FORMAT(text, values) __attribute__((format(printf, text, values)))
#define BACKWORKS_HIDDEN __attribute__((visibility("hidden")))
#else
#define BACKWORKS_FORMAT(text, values)
#define BACKWORKS_HIDDEN
#endif

/* Which function of the plugin runs. */
typedef enum BackworksStage {
    BACKWORKS_LIFECYCLE,
    BACKWORKS_BEFORE_REQUEST,
    BACKWORKS_PROCESS_ENDPOINT,
    BACKWORKS_AFTER_RESPONSE,
    BACKWORKS_OPERATION
} BackworksStage;

/* One call of the plugin. Use the functions below, not the members. A call belongs to its thread. */
typedef struct BackworksCall {
    BackworksArena arena;
    yyjson_alc memory;
    BackworksStage stage;
    BackworksDocument document;
    yyjson_mut_doc *json;
    yyjson_mut_val *response;
    yyjson_mut_val *patch;
    yyjson_mut_val *result;
    const char *failure;
    int32_t status;
    jmp_buf barrier;
} BackworksCall;

/* Ends the running function of the plugin at once; the call fails with `message`, which is kept. */
static BACKWORKS_UNUSED _Noreturn void backworks_leave(BackworksCall *call, const char *message) {
    call->failure = message;
    BACKWORKS_LONGJMP(call->barrier, 1);
}

/*
 * Memory that is freed when the call is over. Never NULL: without memory the call fails. This is also where
 * the JSON values of the call are.
 */
static BACKWORKS_UNUSED void *backworks_alloc(BackworksCall *call, size_t size) {
    void *piece = backworks_arena_take(&call->arena, size);
    if (piece == NULL) {
        backworks_leave(call, "out of memory");
    }
    return piece;
}

static BACKWORKS_UNUSED const char *backworks_format_list(BackworksCall *call, const char *format,
                                                          va_list values) {
    va_list again;
    va_copy(again, values);
    int size = vsnprintf(NULL, 0, format, values);
    char *text = (char *)backworks_alloc(call, size < 0 ? 1 : (size_t)size + 1);
    text[0] = '\0';
    if (size >= 0) {
        (void)vsnprintf(text, (size_t)size + 1, format, again);
    }
    va_end(again);
    return text;
}

/* A text as printf() would write it, freed when the call is over. */
static BACKWORKS_UNUSED BACKWORKS_FORMAT(2, 3) const
    char *backworks_format(BackworksCall *call, const char *format, ...) {
    va_list values;
    va_start(values, format);
    const char *text = backworks_format_list(call, format, values);
    va_end(values);
    return text;
}

/*
 * Makes the call fail. The operator reads the message, clients do not. The function goes on: return from it.
 * The server then skips the plugin, or refuses the request when the plugin is critical.
 */
static BACKWORKS_UNUSED BACKWORKS_FORMAT(2, 3) void backworks_fail(BackworksCall *call,
                                                                   const char *format, ...) {
    va_list values;
    va_start(values, format);
    call->failure = backworks_format_list(call, format, values);
    va_end(values);
}

static BACKWORKS_UNUSED _Noreturn BACKWORKS_FORMAT(4, 5) void backworks_panic_at(
    BackworksCall *call, const char *file, int line, const char *format, ...) {
    va_list values;
    va_start(values, format);
    const char *message = backworks_format_list(call, format, values);
    va_end(values);
    backworks_leave(call, backworks_format(call, "%s:%d: %s", file, line, message));
}

/*
 * The same, from however deep in the plugin's own functions: leaves all of them at once, and adds file and
 * line to the message. Memory of malloc() and locks that those functions hold stay as they are; use
 * backworks_alloc(). Only on the thread of the call.
 */
#define BACKWORKS_PANIC(call, ...) backworks_panic_at(call, __FILE__, __LINE__, __VA_ARGS__)

/* What yyjson takes its memory from. */
static BACKWORKS_UNUSED void *backworks_json_take(void *call, size_t size) {
    return backworks_alloc((BackworksCall *)call, size);
}

static BACKWORKS_UNUSED void *backworks_json_resize(void *context, void *piece, size_t old_size,
                                                    size_t size) {
    BackworksCall *call = (BackworksCall *)context;
    void *resized = backworks_arena_resize(&call->arena, piece, old_size, size);
    if (resized == NULL) {
        backworks_leave(call, "out of memory");
    }
    return resized;
}

static BACKWORKS_UNUSED void backworks_json_give_back(void *call, void *piece) {
    (void)call;
    (void)piece;
}

static BACKWORKS_UNUSED void backworks_call_begin(BackworksCall *call, BackworksStage stage,
                                                  const char *document) {
    backworks_arena_begin(&call->arena);
    call->memory =
        (yyjson_alc){backworks_json_take, backworks_json_resize, backworks_json_give_back, call};
    call->stage = stage;
    call->document.text = backworks_slice(document, document == NULL ? 0 : strlen(document));
    call->document.memory = &call->memory;
    call->document.flags = YYJSON_READ_BIGNUM_AS_RAW;
    call->document.indexed = false;
    call->document.count = 0;
    call->json = NULL;
    call->response = call->patch = call->result = NULL;
    call->failure = NULL;
    call->status = 0;
}

#endif /* BACKWORKS_C_CALL_H */
