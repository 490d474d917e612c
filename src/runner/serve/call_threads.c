/* SPDX-License-Identifier: MIT */
#include "serve/answer.h"
#include "serve/arguments.h"
#include "serve/call_threads.h"
#include "crash/crash_report.h"
#include "serve/host_table.h"
#include "frames/own_call.h"
#include "serve/pool.h"
#include "protocol.h"
#include "os/threads.h"

/* Begins calls in the order in which they came. False when the server has cancelled the call. */
static bool begin(void *context, const FrameHeader *header) {
    Hooks *hooks = context;

    if (!own_call.here) {
        own_call = (OwnCall){.here = true, .deadline_us = HOST_NO_DEADLINE, .phase = "idle"};
        atomic_store(&hooks->slot->thread, threads_own_number());
    }
    if (hooks_cancelled(hooks, header->id))
        return false;
    hooks_begin(hooks, header);
    return true;
}

static void run(void *context, const Job *job) {
    const char *arguments[ARGUMENTS_MAX] = {NULL};
    Hooks *hooks = context;

    if (!job->wanted) {
        hooks_answer_cancelled(job->header.id);
        return;
    }
    /* Cannot fail: the serving thread has checked the payload. */
    (void)arguments_find(&job->header, job->payload, STRINGS_OF_HOOKS, arguments);
    hooks->arrived_us = job->arrived_us;
    own_call.id = job->header.id;
    (job->header.type == FRAME_BATCH ? hooks_batch : hooks_call)(hooks, &job->header, arguments);
    own_call.id = 0;
    crash_report_phase("idle");
    answer_refusals();
    answer_dropped();
}

const char *call_threads_start(const Hooks *hooks, unsigned count) {
    static const PoolWork work = {begin, run};
    static Hooks each[THREADS_MAX];

    for (unsigned index = 0; index < count; index++) {
        each[index] = *hooks;
        each[index].slot = &hooks->shared->running[1 + index];
    }
    if (count > 0) {
        output_begin_wait();
        own_call_open(hooks->shared);
    }
    return pool_start(&work, count, each, sizeof *each);
}
