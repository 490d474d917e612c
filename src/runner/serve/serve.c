/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "serve/answer.h"
#include "serve/arguments.h"
#include "serve/call_threads.h"
#include "crash/crash_report.h"
#include "frames/frames.h"
#include "serve/hooks.h"
#include "serve/host_table.h"
#include "library/library.h"
#include "serve/log_rate.h"
#include "serve/pool.h"
#include "protocol.h"
#include "sandbox/sandbox_settings.h"
#include "serve/serve.h"
#include "os/threads.h"

enum { US_PER_MS = 1000 };

/* Which frames are allowed next; bits, so that a rule can name several states. */
enum state {
    AWAITS_HELLO = 1 << 0,
    AWAITS_SANDBOX = 1 << 1, /* or LOAD, without a sandbox */
    AWAITS_LOAD = 1 << 2,
    AWAITS_INITIALIZE = 1 << 3,
    READY = 1 << 4,
    REFUSED = 1 << 5 /* initialize() failed; only SHUTDOWN is allowed */
};

typedef struct Session {
    enum state state;
    Input input;
    Library library;
    Hooks hooks;
} Session;

static void on_hello(Session *session, const FrameHeader *header, const char *const *arguments) {
    (void)arguments;
    if (header->value != PROTOCOL_VERSION)
        output_end(RUNNER_EXIT_PROTOCOL);
    session->state = AWAITS_SANDBOX;
}

static void on_sandbox(Session *session, const FrameHeader *header, const char *const *arguments) {
    static SandboxReport report;

    crash_report_install();
    if (!sandbox_apply_settings(arguments[0], header->length, &report)) {
        answer_failure(header->id, FAILURE_SANDBOX, report.reason);
        output_end(RUNNER_EXIT_SANDBOX);
    }
    answer_text(FRAME_READY, 0, header->id, 0, report.text, report.length);
    session->state = AWAITS_LOAD;
}

static void on_load(Session *session, const FrameHeader *header, const char *const *arguments) {
    const Library *library = &session->library;
    LibraryFailure failure;
    Span texts[4];
    const char *manifest;

    if (header->value < 0 || header->detail > LOAD_SAME_FILE)
        output_end(RUNNER_EXIT_PROTOCOL);
    session->hooks.reply_max =
        header->value < FRAME_PAYLOAD_MAX ? (size_t)header->value : (size_t)FRAME_PAYLOAD_MAX;
    crash_report_loading(arguments[0]);
    if (!library_open(&session->library, arguments[0], header->detail, &failure) ||
        !library_bind_host(library, host_table(), &failure)) {
        answer_failure(header->id, failure.kind, failure.text);
        output_end(RUNNER_EXIT_LOAD);
    }
    manifest = library->manifest != NULL ? library->manifest : "";
    crash_report_loading(NULL);
    crash_report_refresh_modules();
    texts[0] = (Span){library->info.name, strlen(library->info.name) + 1};
    texts[1] = (Span){library->info.version, strlen(library->info.version) + 1};
    texts[2] = (Span){library->info.description, strlen(library->info.description) + 1};
    texts[3] = (Span){manifest, strlen(manifest) + 1};
    output_send(
        (FrameHeader){.id = header->id, .type = FRAME_LOADED, .value = (int32_t)library->functions},
        texts, 4);
    session->state = AWAITS_INITIALIZE;
}

/* Call threads are started after initialize(), so that initialize() has the process to itself. */
static void on_initialize(Session *session, const FrameHeader *header,
                          const char *const *arguments) {
    const char *failure;
    int32_t status = 0;

    if (header->detail > THREADS_MAX ||
        (header->detail > 0 && !library_has(&session->library, FLAG_THREAD_SAFE)))
        output_end(RUNNER_EXIT_PROTOCOL);
    if (session->library.vtable.initialize != NULL) {
        host_table_set_deadline(header->value > 0
                                    ? session->input.arrived_us + (int64_t)header->value * US_PER_MS
                                    : HOST_NO_DEADLINE);
        status = session->library.vtable.initialize(arguments[0]);
        host_table_set_deadline(HOST_NO_DEADLINE);
    }
    session->state = status == 0 ? READY : REFUSED;
    failure = status == 0 ? call_threads_start(&session->hooks, header->detail) : NULL;
    if (failure != NULL) {
        answer_failure(header->id, FAILURE_THREADS, failure);
        output_end(RUNNER_EXIT_LOAD);
    }
    answer_status(&session->library, header->id, status);
}

static void on_call(Session *session, const FrameHeader *header, const char *const *arguments) {
    hooks_call(&session->hooks, header, arguments);
}

static void on_batch(Session *session, const FrameHeader *header, const char *const *arguments) {
    hooks_batch(&session->hooks, header, arguments);
}

static void on_health_check(Session *session, const FrameHeader *header,
                            const char *const *arguments) {
    int32_t (*health_check)(void) = session->library.vtable.health_check;

    (void)arguments;
    answer_status(&session->library, header->id, health_check != NULL ? health_check() : 0);
}

static void on_reconfigure(Session *session, const FrameHeader *header,
                           const char *const *arguments) {
    const BackworksExtensions *extensions = &session->library.extensions;

    if (extensions->reconfigure == NULL)
        answer_failure(header->id, FAILURE_NOT_IMPLEMENTED, "the plugin cannot be reconfigured");
    else
        answer_status(&session->library, header->id, extensions->reconfigure(arguments[0]));
}

static void on_shutdown(Session *session, const FrameHeader *header, const char *const *arguments) {
    int32_t (*shutdown)(void) = session->library.vtable.shutdown;
    int32_t status = 0;

    (void)arguments;
    if (session->state == READY && shutdown != NULL)
        status = shutdown();
    /* The process ends without exit handlers, which would lose buffered output. */
    (void)fflush(stdout);
    answer_status(&session->library, header->id, status);
    output_end(RUNNER_EXIT_OK);
}

/*
 * For each frame from the server: the states that allow it, its number of strings, its handler, and the
 * phase for crash reports (NULL where the hook sets the phase).
 */
static const struct rule {
    unsigned states;
    size_t strings;
    void (*handle)(Session *session, const FrameHeader *header, const char *const *arguments);
    const char *phase;
} rules[] = {
    [FRAME_HELLO] = {AWAITS_HELLO, 0, on_hello, "load"},
    [FRAME_LOAD] = {AWAITS_SANDBOX | AWAITS_LOAD, 1, on_load, "load"},
    [FRAME_INITIALIZE] = {AWAITS_INITIALIZE, 1, on_initialize, "initialize"},
    [FRAME_CALL] = {READY, STRINGS_OF_HOOKS, on_call, NULL},
    [FRAME_BATCH] = {READY, STRINGS_OF_HOOKS, on_batch, NULL},
    [FRAME_HEALTH_CHECK] = {READY, 0, on_health_check, "health_check"},
    [FRAME_RECONFIGURE] = {READY, 1, on_reconfigure, "reconfigure"},
    [FRAME_SHUTDOWN] = {AWAITS_SANDBOX | AWAITS_LOAD | AWAITS_INITIALIZE | READY | REFUSED, 0,
                        on_shutdown, "shutdown"},
    [FRAME_SANDBOX] = {AWAITS_SANDBOX, STRINGS_ANY, on_sandbox, "load"},
};

/* Only calls can be cancelled, have buffered answers and run on call threads. */
static bool is_call(const FrameHeader *header) {
    return header->type == FRAME_CALL || header->type == FRAME_BATCH;
}

static void handle(Session *session, const FrameHeader *header, const char *payload) {
    const struct rule *rule =
        header->type < sizeof rules / sizeof *rules ? &rules[header->type] : &rules[0];
    const char *arguments[ARGUMENTS_MAX] = {NULL};

    if ((rule->states & (unsigned)session->state) == 0 ||
        !arguments_find(header, payload, rule->strings, arguments))
        output_end(RUNNER_EXIT_PROTOCOL);
    if (pool_is_open()) {
        if (is_call(header)) {
            pool_put(&session->input, header, payload);
            return;
        }
        pool_drain();
    }
    if (is_call(header) && hooks_cancelled(&session->hooks, header->id)) {
        hooks_answer_cancelled(header->id);
        return;
    }
    hooks_begin(&session->hooks, header);
    if (rule->phase != NULL)
        crash_report_phase(rule->phase);
    rule->handle(session, header, arguments);
    crash_report_phase("idle");
    answer_refusals();
    answer_dropped();
    /* Answers to other frames show the server how far the library has come, so they leave at once. */
    if (!is_call(header))
        output_flush();
}

_Noreturn void serve(void) {
    static Session session = {.state = AWAITS_HELLO};
    FrameHeader hello = {.type = FRAME_RUNNER_HELLO, .value = PROTOCOL_VERSION};
    Hooks *hooks = &session.hooks;

    hooks->library = &session.library;
    hooks->shared = shared_page_map();
    hooks->slot = hooks->shared->running;
    atomic_store(&hooks->slot->thread, threads_own_number());
    output_open(hooks->shared);
    log_rate_open(hooks->shared);
    output_send(hello, NULL, 0);
    for (;;) {
        enum channel_result filled;
        enum input_result next;
        FrameHeader header;
        const char *payload;

        while ((next = input_next(&session.input, &header, &payload)) == INPUT_FRAME)
            handle(&session, &header, payload);
        if (next == INPUT_MALFORMED)
            output_end(RUNNER_EXIT_PROTOCOL);
        output_begin_wait();
        filled = input_fill(&session.input);
        if (filled != CHANNEL_OK)
            output_end(filled == CHANNEL_CLOSED ? RUNNER_EXIT_OK : RUNNER_EXIT_IO);
        /* With call threads, this thread cannot tell when answers are pending, so they leave at once. */
        if (!pool_is_open())
            output_end_wait();
        hooks->arrived_us = hooks->flushed_us = session.input.arrived_us;
    }
}
