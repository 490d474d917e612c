/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "serve/pool.h"
#include "protocol.h"
#include "os/threads.h"

/*
 * The most bytes that all jobs may hold: BYTES_PER_THREAD for each thread, but no more than this part of
 * the process's memory. A larger job is accepted when there is no other job.
 */
enum { BYTES_PER_THREAD = 1024 * 1024, PART_OF_MEMORY = 8 };

static const PoolWork *work;
static unsigned started;
static size_t held_max;

/* Accessed only inside the monitor. */
static Job *first;
static Job **last = &first;
static unsigned unfinished; /* jobs that wait or run */
static size_t held;         /* bytes of the unfinished jobs */
static bool awaited;        /* the serving thread waits for progress */

static size_t size_of(const Job *job) {
    return sizeof *job + job->header.length;
}

/* Returns the next job, after this thread finished one of `done` bytes (0: none). */
static Job *next_job(void *context, size_t done) {
    Job *job;

    threads_enter();
    if (done > 0) {
        unfinished--;
        held -= done;
        if (awaited)
            threads_announce(THREADS_PROGRESS);
    }
    while (first == NULL)
        threads_wait(THREADS_WORK);
    job = first;
    first = job->next;
    if (first == NULL)
        last = &first;
    job->wanted = work->begin(context, &job->header);
    threads_leave();
    return job;
}

static void run_jobs(void *context) {
    Job *job = next_job(context, 0);

    for (;;) {
        size_t size = size_of(job);

        work->run(context, job);
        free(job->memory);
        free(job);
        job = next_job(context, size);
    }
}

const char *pool_start(const PoolWork *what, unsigned count, void *contexts, size_t size) {
    size_t part = threads_memory_part(PART_OF_MEMORY);

    work = what;
    held_max = (size_t)count * BYTES_PER_THREAD;
    if (held_max > part)
        held_max = part;
    for (; started < count; started++) {
        const char *failure = threads_start(count, run_jobs, (char *)contexts + started * size);

        if (failure != NULL)
            return failure;
    }
    return NULL;
}

bool pool_is_open(void) {
    return started > 0;
}

static Job *make_job(Input *input, const FrameHeader *header, const char *payload) {
    char *memory = input_take(input, header->length);
    Job *job = malloc(sizeof *job + (memory == NULL ? header->length : 0));

    if (job == NULL)
        output_end(RUNNER_EXIT_NO_MEMORY);
    *job = (Job){
        .header = *header, .arrived_us = input->arrived_us, .payload = payload, .memory = memory};
    if (memory == NULL) {
        char *copy = (char *)(job + 1);

        if (header->length > 0)
            memcpy(copy, payload, header->length);
        job->payload = copy;
    }
    return job;
}

static void await_progress(void) {
    awaited = true;
    threads_wait(THREADS_PROGRESS);
    awaited = false;
}

void pool_put(Input *input, const FrameHeader *header, const char *payload) {
    Job *job = make_job(input, header, payload);
    size_t size = size_of(job);

    threads_enter();
    while (held > 0 && held + size > held_max)
        await_progress();
    held += size;
    unfinished++;
    *last = job;
    last = &job->next;
    threads_announce(THREADS_WORK);
    threads_leave();
}

void pool_drain(void) {
    threads_enter();
    while (unfinished > 0)
        await_progress();
    threads_leave();
}
