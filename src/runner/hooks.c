/* SPDX-License-Identifier: MIT */
#include "answer.h"
#include "clock.h"
#include "crash_report.h"
#include "frames.h"
#include "hooks.h"
#include "host_table.h"
#include "protocol.h"

/*
 * Answers are collected and written when no frame is left to handle, which makes a batch of quick
 * calls one write. Older ones leave before the next call begins: it may be slow, or the last.
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

/* Returns when the function of the call that follows is entered. */
static int64_t flush_old_answers(Hooks *hooks) {
    int64_t now_ns = hooks->begun_ns;

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

void hooks_call(Hooks *hooks, const FrameHeader *header, const char *const *arguments) {
    const Library *library = hooks->library;
    const char *string;
    int64_t entered_ns;
    int32_t took_ns;

    if (!library_has(library, library_hook_function(header->detail))) {
        answer_failure(header->id, FAILURE_NOT_IMPLEMENTED, "the plugin has no such hook");
        return;
    }
    crash_report_phase(library_hook_name(header->detail));
    entered_ns = flush_old_answers(hooks);
    host_table_set_deadline(header->value >= 0
                                ? hooks->arrived_us + (int64_t)header->value * US_PER_MS
                                : HOST_NO_DEADLINE);
    string = library_call(library, header->detail, arguments);
    took_ns = nanoseconds_since(entered_ns);
    host_table_set_deadline(HOST_NO_DEADLINE);
    answer_string(header->id, string, hooks->reply_max, took_ns);
    if (string != NULL)
        library_free_string(library, string);
}

bool hooks_cancelled(const Hooks *hooks, uint32_t id) {
    return id != 0 && atomic_load(&hooks->shared->cancelled[id % CANCEL_SLOTS]) == id;
}

void hooks_answer_cancelled(uint32_t id) {
    answer_failure(id, FAILURE_CANCELLED, "the call was cancelled before it began");
}
