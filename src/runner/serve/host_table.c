/* SPDX-License-Identifier: MIT */
#include <float.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "frames/frames.h"
#include "serve/host_requests.h"
#include "serve/host_table.h"
#include "serve/log_rate.h"
#include "frames/own_call.h"
#include "protocol.h"
#include "serve/services.h"
#include "library/text.h"

enum { METRIC_NAME_MAX = 64, US_PER_MS = 1000 };

/* The deadline of the serving thread's call; any thread of the plugin may read it. */
static _Atomic int64_t deadline = HOST_NO_DEADLINE;

/* With call threads, each call has its own deadline; a thread that the plugin made has none. */
static int64_t deadline_here(void) {
    return own_call.here ? own_call.deadline_us : atomic_load(&deadline);
}

/* For this thread: whether it runs a hook, and the message of fail(). */
static _Thread_local bool calling;
static _Thread_local char *failure;

/* Flushed at once, because the last line before a crash matters most. */
static void host_log(int32_t level, const char *message) {
    FrameHeader header = {.type = FRAME_LOG, .detail = BACKWORKS_LOG_INFO};
    Span text;

    if (message == NULL)
        return;
    if (level >= BACKWORKS_LOG_DEBUG && level <= BACKWORKS_LOG_ERROR)
        header.detail = (uint8_t)level;
    text = (Span){message, text_length_cut(message, LOG_TEXT_MAX)};
    if (!log_rate_admits(text.length))
        return;
    header.value = log_rate_take_dropped();
    output_send(header, &text, 1);
    output_flush();
}

static void host_metric(const char *name, double delta) {
    FrameHeader header = {.type = FRAME_METRIC};
    char bytes[sizeof(uint64_t)];
    uint64_t bits;
    Span spans[2];
    size_t length;

    /* Written so that NaN fails the test too. */
    if (name == NULL || !(delta >= 0 && delta <= DBL_MAX))
        return;
    length = text_length(name, METRIC_NAME_MAX);
    if (length == 0 || length > METRIC_NAME_MAX)
        return;
    _Static_assert(sizeof bits == sizeof delta, "double is IEEE 754 binary64");
    memcpy(&bits, &delta, sizeof bits);
    for (unsigned byte = 0; byte < sizeof bytes; byte++)
        bytes[byte] = (char)(unsigned char)(bits >> (8 * byte));
    spans[0] = (Span){bytes, sizeof bytes};
    spans[1] = (Span){name, length};
    output_send(header, spans, 2);
}

static int64_t host_deadline_left_ms(void) {
    int64_t until = deadline_here();
    int64_t left;

    if (until == HOST_NO_DEADLINE)
        return -1;
    left = until - clock_now_us();
    return left > 0 ? left / US_PER_MS : 0;
}

static int32_t host_cancelled(void) {
    int64_t until = deadline_here();

    return until != HOST_NO_DEADLINE && clock_now_us() >= until;
}

/* Ignored on a thread that runs no call, because no answer could carry the message. */
static void host_fail(const char *message) {
    size_t length;
    char *copy;

    if (!calling)
        return;
    length = message != NULL ? text_length_cut(message, LOG_TEXT_MAX) : 0;
    copy = calloc(1, length + 1);
    if (copy != NULL && length > 0)
        memcpy(copy, message, length);
    if (copy == NULL)
        output_end(RUNNER_EXIT_NO_MEMORY);
    free(failure);
    failure = copy;
}

const BackworksHost *host_table(void) {
    static BackworksHost table = {
        .size = sizeof table,
        .abi_version = BACKWORKS_ABI_VERSION,
        .log = host_log,
        .metric = host_metric,
        .deadline_left_ms = host_deadline_left_ms,
        .cancelled = host_cancelled,
        .fail = host_fail,
    };

    if (services_are_offered()) {
        table.kv_get = host_kv_get;
        table.kv_set = host_kv_set;
        table.http_fetch = host_http_fetch;
        table.call = host_call;
    }
    return &table;
}

void host_table_set_deadline(int64_t deadline_us) {
    if (own_call.here)
        own_call.deadline_us = deadline_us;
    else
        atomic_store(&deadline, deadline_us);
}

void host_table_begin_call(int64_t deadline_us) {
    host_table_set_deadline(deadline_us);
    calling = true;
}

char *host_table_end_call(void) {
    char *message = failure;

    host_table_set_deadline(HOST_NO_DEADLINE);
    calling = false;
    failure = NULL;
    return message;
}
