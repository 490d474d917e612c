/*
 * Sends any stream to a runner and checks its answers. The first bytes of the input say how the stream is
 * delivered; the rest is the stream.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/runner/protocol.h"
#include "answers.h"
#include "in_memory.h"

enum { CHUNK, WRITE_LIMIT, REALLOC_FAIL, CLOCK_STEP, CANCELLED, SCRIPT_SIZE };

static Script read_script(const uint8_t *data, size_t size) {
    return (Script){
        .bytes = data + SCRIPT_SIZE,
        .length = size - SCRIPT_SIZE,
        .write_limit = (size_t)data[WRITE_LIMIT] * 33,
        .realloc_fail = data[REALLOC_FAIL],
        .clock_step_us = (unsigned)data[CLOCK_STEP] * 10,
        .cancelled_id = data[CANCELLED],
    };
}

static bool is_known_end(int code) {
    switch (code) {
    case RUNNER_EXIT_OK:
    case RUNNER_EXIT_NO_MEMORY:
    case RUNNER_EXIT_IO:
    case RUNNER_EXIT_LOAD:
    case RUNNER_EXIT_PROTOCOL:
    case RUNNER_EXIT_SANDBOX:
        return true;
    default:
        return false;
    }
}

static void check(const Script *script, Outcome outcome) {
    Answers found = check_answers(outcome.written, outcome.length, script->bytes, script->length);

    if (!is_known_end(outcome.exit_code))
        fuzz_fail("the runner exited with an unknown code");
    if (script->write_limit > 0)
        return;
    if (!found.whole || found.frames == 0)
        fuzz_fail("the runner's stream ends within a frame");
    if (atomic_load(&in_memory_page.produced) != outcome.length)
        fuzz_fail("the runner did not write all bytes it produced");
    /* A runner that reads the whole stream has answered every frame except HELLO. */
    if (outcome.ran_dry && outcome.exit_code == RUNNER_EXIT_OK &&
        found.answers + 1 < count_frames(script->bytes, script->length))
        fuzz_fail("the runner left a frame without an answer");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t *first;
    Script script;
    Outcome whole;
    Outcome pieces;

    if (size < SCRIPT_SIZE)
        return 0;
    script = read_script(data, size);
    whole = in_memory_serve(&script);
    check(&script, whole);

    /* The runner's answers must not depend on how the stream is cut. */
    if (script.write_limit > 0 || script.realloc_fail > 0)
        return 0;
    first = realloc(first, whole.length + 1);
    memcpy(first, whole.written, whole.length);
    script.chunk = (size_t)data[CHUNK] + 1;
    pieces = in_memory_serve(&script);
    check(&script, pieces);
    if (pieces.exit_code != whole.exit_code || pieces.length != whole.length ||
        memcmp(first, pieces.written, whole.length) != 0)
        fuzz_fail("the answers depend on how the stream is cut");
    return 0;
}
