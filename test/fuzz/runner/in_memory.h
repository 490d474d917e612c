/*
 * Simulates the runner's environment in memory: channel, clock, shared page and plugin libraries. The
 * runner's own files are linked unchanged.
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

/* The server's side of one conversation. */
typedef struct Script {
    const uint8_t *bytes; /* everything it sends */
    size_t length;
    size_t chunk;          /* most bytes in one read; 0: no limit */
    size_t write_limit;    /* the channel fails after this many bytes; 0: never */
    unsigned realloc_fail; /* the realloc() that fails, counted from 1; 0: none */
    unsigned clock_step_us;
    uint32_t cancelled_id; /* 0: none */
} Script;

/* The outcome of a conversation. */
typedef struct Outcome {
    int exit_code;
    uint8_t *written;
    size_t length;
    size_t whole; /* bytes of whole frames seen by in_memory_check_kill() */
    bool ran_dry; /* the runner read everything the server sends */
} Outcome;

/* Runs one conversation from start to end. The outcome's bytes are valid until the next one.
 */
Outcome in_memory_serve(const Script *script);

/* Runs `describe()` on a library with these four texts. Returns its output, which the caller frees. */
char *in_memory_describe(const char *const texts[4], size_t *length, int *exit_code);

/* The stream that channel_divert_stdout() returns. */
void in_memory_divert_to(FILE *stream);

/* Gives every static variable of the runner the value it has when a process starts. */
void in_memory_forget(void);

/* Ends the runner, like _Exit() in a real process. */
_Noreturn void in_memory_exit(int code);

/* Checks everything the server could read if the process were killed now. Aborts on an error.
 */
void in_memory_check_kill(void);

extern SharedPage in_memory_page;
extern Script in_memory_script;
extern Outcome in_memory_outcome;

/* The plugin's description, and its strings that were not freed. */
extern const char *const *in_memory_texts;
void in_memory_free_strings(void);

/* Aborts the fuzzer with a message. */
_Noreturn void fuzz_fail(const char *what);

#endif
