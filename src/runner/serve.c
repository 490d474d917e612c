/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "clock.h"
#include "crash_report.h"
#include "frames.h"
#include "host_table.h"
#include "library.h"
#include "log_rate.h"
#include "protocol.h"
#include "sandbox_settings.h"
#include "serve.h"
#include "text.h"

/*
 * Answers are collected and written when no frame is left to handle, which makes a batch of quick
 * calls one write. Older ones leave before the next call begins: it may be slow, or the last.
 */
enum { HOLD_BACK_MAX_US = 200, US_PER_MS = 1000 };

/* What may come next; a bit each, so that a rule can name several. */
enum state {
    AWAITS_HELLO = 1 << 0,
    AWAITS_SANDBOX = 1 << 1, /* or LOAD at once */
    AWAITS_LOAD = 1 << 2,
    AWAITS_INITIALIZE = 1 << 3,
    READY = 1 << 4,
    REFUSED = 1 << 5 /* initialize() said no; only SHUTDOWN is left */
};

typedef struct Session {
    enum state state;
    SharedPage *shared;
    Input input;
    Library library;
    size_t reply_max;
    int64_t flushed_us;
    int64_t begun_ns; /* when the frame being handled was begun */
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

    if (header->value < 0)
        output_end(RUNNER_EXIT_PROTOCOL);
    session->reply_max =
        header->value < FRAME_PAYLOAD_MAX ? (size_t)header->value : (size_t)FRAME_PAYLOAD_MAX;
    if (!library_open(&session->library, arguments[0], &failure) ||
        !library_bind_host(library, host_table(), &failure)) {
        answer_failure(header->id, failure.kind, failure.text);
        output_end(RUNNER_EXIT_LOAD);
    }
    manifest = library->manifest != NULL ? library->manifest : "";
    crash_report_learn_modules();
    texts[0] = (Span){library->info.name, strlen(library->info.name) + 1};
    texts[1] = (Span){library->info.version, strlen(library->info.version) + 1};
    texts[2] = (Span){library->info.description, strlen(library->info.description) + 1};
    texts[3] = (Span){manifest, strlen(manifest) + 1};
    output_send(
        (FrameHeader){.id = header->id, .type = FRAME_LOADED, .value = (int32_t)library->functions},
        texts, 4);
    session->state = AWAITS_INITIALIZE;
}

static int64_t deadline_after(const Session *session, int32_t left_ms) {
    return session->input.arrived_us + (int64_t)left_ms * US_PER_MS;
}

static void on_initialize(Session *session, const FrameHeader *header,
                          const char *const *arguments) {
    int32_t status = 0;

    if (session->library.vtable.initialize != NULL) {
        host_table_set_deadline(header->value > 0 ? deadline_after(session, header->value)
                                                  : HOST_NO_DEADLINE);
        status = session->library.vtable.initialize(arguments[0]);
        host_table_set_deadline(HOST_NO_DEADLINE);
    }
    session->state = status == 0 ? READY : REFUSED;
    answer_status(&session->library, header->id, status);
}

/* Returns when the function of the call that follows is entered. */
static int64_t flush_old_answers(Session *session) {
    int64_t now_ns = session->begun_ns;

    if (now_ns / CLOCK_NS_PER_US - session->flushed_us < HOLD_BACK_MAX_US)
        return now_ns;
    output_flush();
    now_ns = clock_now_ns();
    session->flushed_us = now_ns / CLOCK_NS_PER_US;
    return now_ns;
}

static int32_t nanoseconds_since(int64_t entered_ns) {
    int64_t passed_ns = clock_now_ns() - entered_ns;

    return passed_ns < INT32_MAX ? (int32_t)passed_ns : INT32_MAX;
}

static void on_call(Session *session, const FrameHeader *header, const char *const *arguments) {
    const Library *library = &session->library;
    const char *string;
    int64_t entered_ns;
    int32_t took_ns;

    if (!library_has(library, library_hook_function(header->detail))) {
        answer_failure(header->id, FAILURE_NOT_IMPLEMENTED, "the plugin has no such hook");
        return;
    }
    entered_ns = flush_old_answers(session);
    host_table_set_deadline(header->value >= 0 ? deadline_after(session, header->value)
                                               : HOST_NO_DEADLINE);
    string = library_call(library, header->detail, arguments);
    took_ns = nanoseconds_since(entered_ns);
    host_table_set_deadline(HOST_NO_DEADLINE);
    answer_string(header->id, string, session->reply_max, took_ns);
    if (string != NULL)
        library_free_string(library, string);
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
    /* The process ends without running exit handlers: half a printed line would be lost. */
    (void)fflush(stdout);
    answer_status(&session->library, header->id, status);
    output_end(RUNNER_EXIT_OK);
}

/* STRINGS_ANY: one argument, the strings as they lie in the payload. */
enum { STRINGS_OF_HOOK = HOOK_ARGUMENTS_MAX + 1, STRINGS_ANY };

/*
 * For each frame of the server: when it may come, how many strings it carries, who handles it, and
 * what the process does meanwhile, NULL for the hook's name.
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
    [FRAME_CALL] = {READY, STRINGS_OF_HOOK, on_call, NULL},
    [FRAME_HEALTH_CHECK] = {READY, 0, on_health_check, "health_check"},
    [FRAME_RECONFIGURE] = {READY, 1, on_reconfigure, "reconfigure"},
    [FRAME_SHUTDOWN] = {AWAITS_SANDBOX | AWAITS_LOAD | AWAITS_INITIALIZE | READY | REFUSED, 0,
                        on_shutdown, "shutdown"},
    [FRAME_SANDBOX] = {AWAITS_SANDBOX, STRINGS_ANY, on_sandbox, "load"},
};

/* Finds the strings where they lie. False unless the payload is exactly `count` of them. */
static bool find_strings(const char *payload, size_t length, const char **strings, size_t count) {
    const char *end = payload + length;

    for (size_t index = 0; index < count; index++) {
        const char *nul = memchr(payload, '\0', (size_t)(end - payload));

        if (nul == NULL)
            return false;
        strings[index] = payload;
        payload = nul + 1;
    }
    return payload == end;
}

/* Finds the frame's arguments. False when they are not what its type demands. */
static bool find_arguments(const FrameHeader *header, const char *payload, size_t strings,
                           const char **arguments) {
    if (strings == STRINGS_ANY) {
        arguments[0] = payload;
        return header->length == 0 || payload[header->length - 1] == '\0';
    }
    if (strings == STRINGS_OF_HOOK)
        strings = library_hook_arguments(header->detail);
    if (header->type == FRAME_CALL && strings == 0)
        return false;
    return find_strings(payload, header->length, arguments, strings);
}

static bool is_cancelled(const Session *session, uint32_t id) {
    return id != 0 && atomic_load(&session->shared->cancelled[id % CANCEL_SLOTS]) == id;
}

static void handle(Session *session, const FrameHeader *header, const char *payload) {
    const struct rule *rule =
        header->type < sizeof rules / sizeof *rules ? &rules[header->type] : &rules[0];
    const char *arguments[HOOK_ARGUMENTS_MAX] = {NULL};

    if ((rule->states & (unsigned)session->state) == 0 ||
        !find_arguments(header, payload, rule->strings, arguments))
        output_end(RUNNER_EXIT_PROTOCOL);
    if (header->type == FRAME_CALL && is_cancelled(session, header->id)) {
        answer_failure(header->id, FAILURE_CANCELLED, "the call was cancelled before it began");
        return;
    }
    crash_report_phase(rule->phase != NULL ? rule->phase : library_hook_name(header->detail));
    session->begun_ns = clock_now_ns();
    atomic_store(&session->shared->begun_us, (uint64_t)(session->begun_ns / CLOCK_NS_PER_US));
    atomic_store(&session->shared->begun, header->id);
    rule->handle(session, header, arguments);
    crash_report_phase("idle");
    answer_refusals();
    answer_dropped();
    /* Only calls are worth collecting answers for; the rest tells how far the library has come. */
    if (header->type != FRAME_CALL)
        output_flush();
}

_Noreturn void serve(void) {
    static Session session = {.state = AWAITS_HELLO};
    FrameHeader hello = {.type = FRAME_RUNNER_HELLO, .value = PROTOCOL_VERSION};

    session.shared = shared_page_map();
    output_open(session.shared);
    log_rate_open(session.shared);
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
        output_rest();
        filled = input_fill(&session.input);
        if (filled != CHANNEL_OK)
            output_end(filled == CHANNEL_CLOSED ? RUNNER_EXIT_OK : RUNNER_EXIT_IO);
        output_wake();
        session.flushed_us = session.input.arrived_us;
    }
}
