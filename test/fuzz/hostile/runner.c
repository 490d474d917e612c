/*
 * Replaces backworks-runner: speaks the protocol up to a point and then breaks it. The number after the
 * last dot of its name is the seed, so a run can be repeated.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../src/runner/protocol.h"
#include "wire.h"

enum { FLOOD_FRAMES = 4000, LONG_TEXT = 1 << 20, HONEST_FRAMES_MAX = 9 };

static unsigned char *page;

/* Valid and invalid results of a hook. */
static const char *const replies[] = {
    "{\"ok\":true}",
    "null",
    "7",
    "[]",
    "",
    "{",
    "\xff\xfe",
    "{\"response\":{\"status\":200,\"body\":\"x\"}}",
    "{\"response\":null}",
    "{\"request\":[1]}",
    "{\"request\":{\"headers\":{\"x\":1},\"method\":{},\"path\":null}}",
    "{\"status\":99999,\"body\":1}",
    "{\"status\":101,\"body\":null}",
    "{\"status\":200,\"headers\":{\"a\\r\\nb\":\"c\"},\"body\":{}}",
    "{\"status\":200,\"headers\":{\"a\":\"c\\r\\nd: e\"},\"body\":{}}",
    "{\"status\":204,\"body\":\"not empty\"}",
    "{\"status\":304,\"headers\":{\"content-length\":\"99\"},\"body\":\"x\"}",
    "{\"status\":200,\"body\":\"%\",\"body_encoding\":\"base64\"}",
    "{\"__proto__\":{\"status\":500}}",
    "{\"response\":{\"headers\":{\"__proto__\":\"x\"}}}",
    "{\"constructor\":{\"prototype\":{\"a\":1}},\"toString\":1}",
};

static void answer_call(Frame asked) {
    const char *reply = replies[below(sizeof replies / sizeof *replies)];

    if (below(8) == 0)
        say((Frame){.id = asked.id, .type = FRAME_EMPTY}, "");
    else
        say((Frame){(uint32_t)strlen(reply), asked.id, FRAME_REPLY, 0, 0, (int32_t)any()}, reply);
}

/* Answers like the runner, except for the plugin's result. */
static void answer(Frame asked) {
    enum { EVERY_FUNCTION = 0x3f };

    if (page != NULL) {
        memcpy(page + SHARED_BEGUN, &asked.id, sizeof asked.id);
        memcpy(page + SHARED_RUNNING, &asked.id, sizeof asked.id);
    }
    switch (asked.type) {
    case FRAME_HELLO:
        break;
    case FRAME_SANDBOX:
        say((Frame){7, asked.id, FRAME_READY, 0, 0, 0}, "mode=x\0");
        break;
    case FRAME_LOAD:
        say((Frame){12, asked.id, FRAME_LOADED, 0, 0, EVERY_FUNCTION}, "liar\0001.0.0\0\0\0");
        break;
    case FRAME_CALL:
        answer_call(asked);
        break;
    default:
        say((Frame){.id = asked.id, .type = FRAME_STATUS}, "");
        if (asked.type == FRAME_SHUTDOWN)
            _exit(0);
    }
}

static void write_random(unsigned char *into, size_t length) {
    for (size_t index = 0; index < length; index++)
        into[index] = (unsigned char)below(256);
}

/* Writes any values to the memory that the server reads, during and after this process. */
static void scribble(Frame asked) {
    uint32_t begun = below(2) == 0 ? any() : asked.id - 2 + below(5);
    uint64_t produced = below(2) == 0 ? any() : (uint64_t)any() << 32 | any();

    if (page == NULL)
        return;
    if (below(2) == 0)
        memcpy(page + SHARED_BEGUN, &begun, sizeof begun);
    if (below(2) == 0)
        memcpy(page + SHARED_RUNNING, &begun, sizeof begun);
    if (below(2) == 0)
        write_random(page + SHARED_ENDED_BY, sizeof begun);
    if (below(2) == 0)
        memcpy(page + SHARED_PRODUCED, &produced, sizeof produced);
    if (below(2) == 0)
        write_random(page + SHARED_RING, ANSWER_RING_SIZE);
    if (below(4) == 0)
        (void)ftruncate(SHARED_DESCRIPTOR, below(2) == 0 ? 100 : (off_t)SHARED_SIZE << 16);
}

static void random_header(Frame asked) {
    Frame frame = {0, asked.id, (uint8_t)(FRAME_RUNNER_HELLO + below(10)), 0, 0, 0};

    switch (below(6)) {
    case 0:
        frame.id = any();
        break;
    case 1:
        frame.type = (uint8_t)below(256);
        break;
    case 2:
        frame.reserved = (uint16_t)any();
        break;
    case 3:
        frame.detail = (uint8_t)any();
        break;
    default:
        frame.value = (int32_t)any();
    }
    say(frame, "");
}

static void wrong_length(Frame asked) {
    uint32_t length = below(2) == 0 ? any() : FRAME_PAYLOAD_MAX + below(2);
    Frame frame = {length, asked.id, FRAME_REPLY, 0, 0, 0};
    unsigned char part[1000];

    write_random(part, sizeof part);
    put(&frame, 1 + below(FRAME_HEADER_SIZE));
    put(part, below(sizeof part));
    if (below(2) == 0)
        _exit((int)below(256));
    hang();
}

static void flood(Frame asked) {
    static const uint8_t types[] = {FRAME_LOG,   FRAME_METRIC, FRAME_CRASHED,
                                    FRAME_REPLY, FRAME_FAILED, FRAME_STATUS};
    Frame frame = {9 + below(50), 0, types[below(sizeof types)], 0, 0, (int32_t)any()};
    char text[64];

    if (below(3) == 0)
        frame.length = 0;
    for (uint32_t count = 0; count < FLOOD_FRAMES; count++) {
        write_random((unsigned char *)text, sizeof text);
        frame.id = frame.type == FRAME_LOG ? 0 : asked.id + count;
        say(frame, text);
    }
}

static void long_payload(Frame asked) {
    static const uint8_t types[] = {FRAME_FAILED, FRAME_STATUS, FRAME_REPLY, FRAME_LOADED,
                                    FRAME_READY,  FRAME_LOG,    FRAME_METRIC};
    uint32_t length = LONG_TEXT + below(2) * LONG_TEXT * 8;
    char *text = malloc(length);

    memset(text, below(2) == 0 ? '[' : (int)below(256), length);
    say((Frame){length, asked.id, types[below(sizeof types)], (uint8_t)below(9), 0, 1}, text);
    free(text);
}

static void garbage(void) {
    unsigned char bytes[3000];

    write_random(bytes, sizeof bytes);
    put(bytes, below(sizeof bytes));
}

static void print_much(void) {
    char line[5000];

    write_random((unsigned char *)line, sizeof line);
    for (int count = 0; count < 100; count++)
        (void)!write(1 + count % 2, line, sizeof line);
}

static void end_somehow(void) {
    static const int signals[] = {SIGSEGV, SIGABRT, SIGKILL, SIGTERM, SIGSTOP, SIGPIPE, SIGALRM};

    switch (below(4)) {
    case 0:
        _exit((int)below(256));
    case 1:
        (void)raise(signals[below(sizeof signals / sizeof *signals)]);
        break;
    case 2:
        (void)close(below(2) == 0 ? PROTOCOL_DESCRIPTOR : ANSWERS_DESCRIPTOR);
        break;
    default:
        (void)close(PROTOCOL_DESCRIPTOR);
        (void)close(ANSWERS_DESCRIPTOR);
    }
    hang();
}

static void break_the_rules(Frame asked) {
    if (below(2) == 0)
        scribble(asked);
    switch (below(9)) {
    case 0:
        random_header(asked);
        break;
    case 1:
        wrong_length(asked);
        break;
    case 2:
        flood(asked);
        break;
    case 3:
        long_payload(asked);
        break;
    case 4:
        garbage();
        break;
    case 5:
        print_much();
        break;
    case 6:
        hang();
        break;
    default:
        end_somehow();
    }
}

int main(int argc, char **argv) {
    const char *number = strrchr(argv[0], '.');
    uint32_t honest;
    void *shared;

    (void)argc;
    seed_random(number != NULL ? strtoull(number + 1, NULL, 10) : 0);
    shared = mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_DESCRIPTOR, 0);
    page = shared == MAP_FAILED ? NULL : shared;
    honest = below(HONEST_FRAMES_MAX);
    say((Frame){.type = FRAME_RUNNER_HELLO, .value = PROTOCOL_VERSION}, "");
    for (uint32_t count = 0;; count++) {
        Frame asked = next_frame();

        if (count >= honest && below(2) == 0)
            break_the_rules(asked);
        answer(asked);
    }
}
