/*
 * Simulates many runner processes in one process: statics, exit and allocation.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/runner/library/describe.h"
#include "../../../src/runner/serve/serve.h"
#include "in_memory.h"

/* Defined by the linker; statics.h describes the section. */
extern uint64_t __start_runner_bss[], __stop_runner_bss[];
extern uint64_t __start_runner_data[], __stop_runner_data[];

Script in_memory_script;
Outcome in_memory_outcome;

static jmp_buf end;
static int exit_code;
static void *input_memory;
static unsigned realloc_count;

void fuzz_fail(const char *what) {
    (void)fprintf(stderr, "fuzzer: %s\n", what);
    abort();
}

/* AddressSanitizer forbids access to the zones between the variables, but they may be copied.
 */
__attribute__((no_sanitize("address"))) static void copy(volatile uint64_t *to,
                                                         const uint64_t *from, size_t words) {
    for (size_t index = 0; index < words; index++)
        to[index] = from == NULL ? 0 : from[index];
}

void in_memory_forget(void) {
    static uint64_t *at_start;
    size_t words = (size_t)(__stop_runner_data - __start_runner_data);

    if (at_start == NULL) {
        at_start = malloc(words * sizeof *at_start);
        copy(at_start, __start_runner_data, words);
    }
    copy(__start_runner_data, at_start, words);
    copy(__start_runner_bss, NULL, (size_t)(__stop_runner_bss - __start_runner_bss));
}

void in_memory_exit(int code) {
    exit_code = code;
    longjmp(end, 1);
}

void *in_memory_realloc(void *memory, size_t size) {
    void *moved;

    if (++realloc_count == in_memory_script.realloc_fail)
        return NULL;
    moved = realloc(memory, size);
    input_memory = moved;
    return moved;
}

static void begin(void) {
    in_memory_forget();
    memset(&in_memory_page, 0, offsetof(SharedPage, ring));
    input_memory = NULL;
    realloc_count = 0;
}

Outcome in_memory_serve(const Script *script) {
    in_memory_script = *script;
    begin();
    if (script->cancelled_id != 0)
        in_memory_page.cancelled[script->cancelled_id % CANCEL_SLOTS] = script->cancelled_id;
    in_memory_outcome = (Outcome){.written = in_memory_outcome.written};
    if (setjmp(end) == 0)
        serve();
    in_memory_outcome.exit_code = exit_code;
    free(input_memory);
    in_memory_free_strings();
    return in_memory_outcome;
}

char *in_memory_describe(const char *const texts[4], size_t *length, int *code) {
    char *printed = NULL;
    FILE *stream;

    begin();
    in_memory_texts = texts;
    stream = open_memstream(&printed, length);
    in_memory_divert_to(stream);
    if (setjmp(end) == 0)
        describe("/", NULL, 0);
    in_memory_texts = NULL;
    (void)fclose(stream);
    *code = exit_code;
    return printed;
}
