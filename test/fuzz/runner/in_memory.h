/*
 * The runner's surroundings, held in memory: channel, clock, shared page and plugin libraries. The
 * runner's own files are linked as they are.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_FUZZ_IN_MEMORY_H
#define BACKWORKS_FUZZ_IN_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../../../src/runner/os/channel.h"
#include "../../../src/runner/frames/shared_page.h"

/* What the server does in one conversation. */
typedef struct Script {
    const uint8_t *bytes; /* all it ever sends */
    size_t length;
    size_t chunk;          /* bytes at most that one read finds; 0: everything at once */
    size_t write_limit;    /* the channel fails after so many bytes written; 0: never */
    unsigned realloc_fail; /* the realloc() that fails, counted from 1; 0: none */
    unsigned clock_step_us;
    uint32_t cancelled_id; /* 0: none */
} Script;

/* What came out of it. */
typedef struct Outcome {
    int exit_code;
    uint8_t *written;
    size_t length;
    size_t whole; /* bytes of whole frames seen by in_memory_check_kill() */
    bool ran_dry; /* the runner read to the end of what the server sends */
} Outcome;

/* Holds one conversation from a runner's start to its end. The outcome's bytes live until the next.
 */
Outcome in_memory_serve(const Script *script);

/* Runs `describe()` on a library that says these four things of itself; what it printed, to be
 * freed. */
char *in_memory_describe(const char *const texts[4], size_t *length, int *exit_code);

/* The stream channel_divert_stdout() hands out. */
void in_memory_divert_to(FILE *stream);

/* Gives every static variable of the runner the value it has when a process starts. */
void in_memory_forget(void);

/* Ends the runner, as _Exit() does outside. */
_Noreturn void in_memory_exit(int code);

/* Looks at everything the server could see if the process were killed now; aborts if it is wrong.
 */
void in_memory_check_kill(void);

extern SharedPage in_memory_page;
extern Script in_memory_script;
extern Outcome in_memory_outcome;

/* Of the plugin: what it says of itself when it is described, and what it has not freed. */
extern const char *const *in_memory_texts;
void in_memory_free_strings(void);

/* Stops the fuzzer with a sentence. */
_Noreturn void fuzz_fail(const char *what);

#endif
