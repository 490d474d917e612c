/*
 * The runner's channel, clock and shared page, in memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/runner/os/clock.h"
#include "../../../src/runner/protocol.h"
#include "in_memory.h"

/* Enough for the largest reply. A runner that writes more has lost its server. */
enum { WRITTEN_MAX = 2 * FRAME_PAYLOAD_MAX };

SharedPage in_memory_page;

static FILE *diverted;

void channel_prepare(void) {
}

FILE *channel_divert_stdout(void) {
    return diverted;
}

void in_memory_divert_to(FILE *stream) {
    diverted = stream;
}

SharedPage *shared_page_map(void) {
    return &in_memory_page;
}

int64_t clock_now_ns(void) {
    static int64_t now;

    now += (int64_t)in_memory_script.clock_step_us * CLOCK_NS_PER_US;
    return now;
}

int64_t clock_now_us(void) {
    return clock_now_ns() / CLOCK_NS_PER_US;
}

enum channel_result channel_read(void *into, size_t room, size_t *got) {
    Script *script = &in_memory_script;
    size_t count = room;

    if (room == 0)
        fuzz_fail("the runner reads into a full buffer");
    in_memory_check_kill();
    if (script->chunk > 0 && script->chunk < count)
        count = script->chunk;
    if (script->length < count)
        count = script->length;
    if (count > 0)
        memcpy(into, script->bytes, count);
    script->bytes += count;
    script->length -= count;
    *got = count;
    if (count == 0)
        in_memory_outcome.ran_dry = true;
    return count == 0 ? CHANNEL_CLOSED : CHANNEL_OK;
}

enum channel_result channel_write(const void *bytes, size_t length) {
    static size_t room;
    Outcome *outcome = &in_memory_outcome;
    size_t limit = in_memory_script.write_limit;

    if (limit > 0 && outcome->length + length > limit)
        return limit % 2 == 0 ? CHANNEL_CLOSED : CHANNEL_FAILED;
    if (outcome->length + length > WRITTEN_MAX)
        return CHANNEL_CLOSED;
    if (outcome->length + length > room) {
        room = 2 * (outcome->length + length);
        outcome->written = realloc(outcome->written, room);
    }
    memcpy(outcome->written + outcome->length, bytes, length);
    outcome->length += length;
    return CHANNEL_OK;
}

bool channel_try_write(const void *bytes, size_t length) {
    return channel_write(bytes, length) == CHANNEL_OK;
}
