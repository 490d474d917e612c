/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "serve/answer.h"
#include "os/clock.h"
#include "crash/crash_report.h"
#include "frames/frames.h"
#include "serve/hooks.h"
#include "serve/host_table.h"
#include "serve/request_patch.h"
#include "json/json_check.h"
#include "protocol.h"
#include "library/text.h"

/*
 * Answers are buffered and written when no frame is left to handle, so that a batch of quick calls costs
 * one write. Answers older than this leave before the next call begins, because that call may be slow or
 * crash.
 */
enum { HOLD_BACK_MAX_US = 200, US_PER_MS = 1000 };

void hooks_begin(Hooks *hooks, const FrameHeader *header) {
    uint64_t begun_us;

    hooks->begun_ns = clock_now_ns();
    begun_us = (uint64_t)(hooks->begun_ns / CLOCK_NS_PER_US);
    atomic_store_explicit(&hooks->slot->begun_us, begun_us, memory_order_release);
    atomic_store_explicit(&hooks->slot->id, header->id, memory_order_release);
    atomic_store_explicit(&hooks->shared->begun, header->id, memory_order_release);
}

/* What a hook returned. */
typedef struct Returned {
    const char *string; /* NULL, or `length` bytes; a string over the limit counts one byte more */
    size_t length;
    int32_t took_ns;
    char *
        failure; /* the message of fail(), which the caller frees; NULL when fail() was not called */
} Returned;

/* Flushes answers that have waited too long. Returns the time at which the next function is entered. */
static int64_t flush_old_answers(Hooks *hooks, int64_t now_ns) {
    if (now_ns / CLOCK_NS_PER_US - hooks->flushed_us < HOLD_BACK_MAX_US)
        return now_ns;
    output_flush();
    now_ns = clock_now_ns();
    hooks->flushed_us = now_ns / CLOCK_NS_PER_US;
    return now_ns;
}

static int32_t nanoseconds_since(int64_t entered_ns) {
    int64_t passed_ns = clock_now_ns() - entered_ns;

    return passed_ns < INT32_MAX ? (int32_t)passed_ns : INT32_MAX;
}

/* Calls one function of the library. Its time limit runs from `since_us`. */
static Returned run(const Hooks *hooks, unsigned hook, int64_t entered_ns, int64_t since_us,
                    int32_t left_ms, const char *const *arguments) {
    Returned returned = {NULL, 0, 0, NULL};

    crash_report_phase(library_hook_name(hook));
    host_table_begin_call(left_ms >= 0 ? since_us + (int64_t)left_ms * US_PER_MS
                                       : HOST_NO_DEADLINE);
    returned.string = library_call(hooks->library, hook, arguments);
    returned.took_ns = nanoseconds_since(entered_ns);
    returned.failure = host_table_end_call();
    if (returned.string != NULL)
        returned.length = text_length(returned.string, hooks->reply_max);
    return returned;
}

/* Runs the first hook of a frame; its time limit runs from the frame's arrival. */
static Returned run_first(Hooks *hooks, unsigned hook, int32_t left_ms,
                          const char *const *arguments) {
    int64_t entered_ns = flush_old_answers(hooks, hooks->begun_ns);

    return run(hooks, hook, entered_ns, hooks->arrived_us, left_ms, arguments);
}

/* Runs a further hook of a batch; its time limit starts now. */
static Returned run_next(Hooks *hooks, unsigned hook, int32_t left_ms,
                         const char *const *arguments) {
    int64_t entered_ns = flush_old_answers(hooks, clock_now_ns());
    int64_t entered_us = entered_ns / CLOCK_NS_PER_US;

    atomic_store_explicit(&hooks->slot->begun_us, (uint64_t)entered_us, memory_order_release);
    return run(hooks, hook, entered_ns, entered_us, left_ms, arguments);
}

/* True when an endpoint's answer is JSON sent unchanged, not a response document the server unpacks. */
static bool is_plain(const Hooks *hooks, Returned returned) {
    const unsigned response = JSON_HAS_STATUS | JSON_HAS_BODY;
    unsigned facts;

    if (returned.failure != NULL || returned.string == NULL || returned.length > hooks->reply_max)
        return false;
    facts = json_check(returned.string, returned.length, JSON_DEPTH_MAX);
    return (facts & JSON_VALID) != 0 && (facts & JSON_HAS_PROTOTYPE) == 0 &&
           (facts & response) != response;
}

/* Answers with the result of a hook, and gives the string back to the library. */
static void answer(const Hooks *hooks, uint32_t id, unsigned flags, Returned returned) {
    if (returned.failure != NULL)
        answer_failure(id, FAILURE_PLUGIN, returned.failure);
    else
        answer_string(id, (uint8_t)flags, returned.string, returned.length, hooks->reply_max,
                      returned.took_ns);
    free(returned.failure);
    if (returned.string != NULL)
        library_free_string(hooks->library, returned.string);
}

bool hooks_cancelled(const Hooks *hooks, uint32_t id) {
    return id != 0 && atomic_load(&hooks->shared->cancelled[id % CANCEL_SLOTS]) == id;
}

void hooks_answer_cancelled(uint32_t id) {
    answer_failure(id, FAILURE_CANCELLED, "the call was cancelled before it began");
}

static bool has_functions(const Library *library, uint32_t id, uint32_t functions) {
    if ((library->functions & functions) == functions)
        return true;
    answer_failure(id, FAILURE_NOT_IMPLEMENTED, "the plugin has no such hook");
    return false;
}

void hooks_call(Hooks *hooks, const FrameHeader *header, const char *const *arguments) {
    Returned returned;
    bool plain;

    if (!has_functions(hooks->library, header->id, library_hook_function(header->detail)))
        return;
    returned = run_first(hooks, header->detail, header->value, arguments);
    plain = header->detail == HOOK_PROCESS_ENDPOINT && is_plain(hooks, returned);
    answer(hooks, header->id, plain ? ANSWER_PLAIN : 0, returned);
}

/* Indices of the strings in a BATCH. */
enum { REQUEST = 0, ROUTE = 1, METHOD = 2, RESPONSE_HEAD = 3 };

size_t hooks_batch_arguments(unsigned steps) {
    switch (steps) {
    case BATCH_BEFORE_REQUEST | BATCH_PROCESS_ENDPOINT:
        return RESPONSE_HEAD;
    case BATCH_PROCESS_ENDPOINT | BATCH_AFTER_RESPONSE:
    case BATCH_BEFORE_REQUEST | BATCH_PROCESS_ENDPOINT | BATCH_AFTER_RESPONSE:
        return BATCH_ARGUMENTS_MAX;
    default:
        return 0;
    }
}

static uint32_t functions_of(unsigned steps) {
    uint32_t functions = 0;

    functions |= (steps & BATCH_BEFORE_REQUEST) != 0 ? FUNCTION_BEFORE_REQUEST : 0u;
    functions |= (steps & BATCH_PROCESS_ENDPOINT) != 0 ? FUNCTION_PROCESS_ENDPOINT : 0u;
    functions |= (steps & BATCH_AFTER_RESPONSE) != 0 ? FUNCTION_AFTER_RESPONSE : 0u;
    return functions;
}

/* Completes the response document: the head from the server, the body, and the closing brace. */
static char *response_document(const char *head, Returned body) {
    size_t start = strlen(head);
    char *document = malloc(start + body.length + sizeof "}");

    if (document == NULL)
        return NULL;
    memcpy(document, head, start);
    memcpy(document + start, body.string, body.length);
    memcpy(document + start + body.length, "}", sizeof "}");
    return document;
}

/* Whether the batch goes on after before_request: the request is unchanged, or `patched` has the documents. */
static bool goes_on(const Hooks *hooks, Returned returned, const char *const *arguments,
                    PatchedDocuments *patched) {
    if (returned.failure != NULL || returned.length > hooks->reply_max)
        return false;
    return returned.string == NULL ||
           request_patch(returned.string, returned.length, arguments[REQUEST],
                         arguments[RESPONSE_HEAD], patched);
}

/* Runs before_request. Returns true when the endpoint is next. */
static bool batch_request(Hooks *hooks, const FrameHeader *header, const char *const *arguments,
                          PatchedDocuments *patched) {
    Returned returned = run_first(hooks, HOOK_BEFORE_REQUEST, header->value, &arguments[REQUEST]);
    bool is_more = goes_on(hooks, returned, arguments, patched);

    answer(hooks, header->id, is_more ? ANSWER_MORE : 0, returned);
    return is_more;
}

/* Returns the document for after_response, which the caller frees; NULL when the batch ends here. */
static char *batch_endpoint(Hooks *hooks, const FrameHeader *header, const char *const *arguments) {
    const char *endpoint[] = {arguments[ROUTE], arguments[METHOD], arguments[REQUEST]};
    bool is_first = (header->detail & BATCH_BEFORE_REQUEST) == 0;
    Returned returned =
        (is_first ? run_first : run_next)(hooks, HOOK_PROCESS_ENDPOINT, header->value, endpoint);
    unsigned flags = is_plain(hooks, returned) ? ANSWER_PLAIN : 0;
    char *document = NULL;

    if (flags != 0 && (header->detail & BATCH_AFTER_RESPONSE) != 0)
        document = response_document(arguments[RESPONSE_HEAD], returned);
    if (document != NULL)
        flags |= ANSWER_MORE;
    answer(hooks, header->id, flags, returned);
    return document;
}

static void batch_response(Hooks *hooks, const FrameHeader *header, const char *document) {
    answer(hooks, header->id, 0, run_next(hooks, HOOK_AFTER_RESPONSE, header->value, &document));
}

/* The steps after before_request. */
static void batch_rest(Hooks *hooks, const FrameHeader *header, const char *const *arguments) {
    char *document = batch_endpoint(hooks, header, arguments);

    if (document == NULL)
        return;
    if (hooks_cancelled(hooks, header->id))
        hooks_answer_cancelled(header->id);
    else
        batch_response(hooks, header, document);
    free(document);
}

/* A batch that begins with before_request. */
static void batch_all(Hooks *hooks, const FrameHeader *header, const char *const *arguments) {
    PatchedDocuments patched = {NULL, NULL};
    const char *documents[BATCH_ARGUMENTS_MAX] = {NULL};

    memcpy(documents, arguments, hooks_batch_arguments(header->detail) * sizeof *documents);
    if (!batch_request(hooks, header, documents, &patched))
        return;
    if (patched.request != NULL)
        documents[REQUEST] = patched.request;
    if (patched.response_head != NULL)
        documents[RESPONSE_HEAD] = patched.response_head;
    if (hooks_cancelled(hooks, header->id))
        hooks_answer_cancelled(header->id);
    else
        batch_rest(hooks, header, documents);
    free(patched.request);
    free(patched.response_head);
}

void hooks_batch(Hooks *hooks, const FrameHeader *header, const char *const *arguments) {
    if (!has_functions(hooks->library, header->id, functions_of(header->detail)))
        return;
    if ((header->detail & BATCH_BEFORE_REQUEST) != 0)
        batch_all(hooks, header, arguments);
    else
        batch_rest(hooks, header, arguments);
}
