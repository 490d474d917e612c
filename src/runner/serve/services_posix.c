/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frames/own_call.h"
#include "protocol.h"
#include "serve/services.h"

static bool offered;
static uint32_t last_id;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* The last answer to this thread; freed by its next request. */
static _Thread_local char *answer;

void services_prepare(void) {
    struct stat file;

    offered = fstat(SERVICES_DESCRIPTOR, &file) == 0 && S_ISSOCK(file.st_mode);
    if (offered)
        (void)fcntl(SERVICES_DESCRIPTOR, F_SETFD, FD_CLOEXEC);
}

bool services_are_offered(void) {
    return offered;
}

static void write_all(const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = write(SERVICES_DESCRIPTOR, bytes, length);

        if (count < 0 && errno != EINTR)
            _Exit(errno == EPIPE || errno == ECONNRESET ? RUNNER_EXIT_OK : RUNNER_EXIT_IO);
        if (count > 0) {
            bytes += count;
            length -= (size_t)count;
        }
    }
}

static void read_all(char *into, size_t length) {
    while (length > 0) {
        ssize_t count = read(SERVICES_DESCRIPTOR, into, length);

        if (count == 0)
            _Exit(RUNNER_EXIT_OK);
        if (count < 0 && errno != EINTR)
            _Exit(errno == ECONNRESET ? RUNNER_EXIT_OK : RUNNER_EXIT_IO);
        if (count > 0) {
            into += count;
            length -= (size_t)count;
        }
    }
}

static void send_request(uint8_t type, uint32_t id, const Span *spans, size_t count) {
    FrameHeader header = {.id = id, .type = type, .value = (int32_t)own_call.id};
    char bytes[FRAME_HEADER_SIZE];

    for (size_t index = 0; index < count; index++)
        header.length += (uint32_t)spans[index].length;
    frame_header_encode(&header, bytes);
    write_all(bytes, sizeof bytes);
    for (size_t index = 0; index < count; index++)
        write_all(spans[index].bytes, spans[index].length);
}

/* Returns the answer in memory the caller frees; NULL when there is no answer. */
static char *receive_answer(uint32_t id) {
    char bytes[FRAME_HEADER_SIZE];
    FrameHeader header;
    char *text;

    read_all(bytes, sizeof bytes);
    if (!frame_header_decode(bytes, &header) || header.id != id)
        _Exit(RUNNER_EXIT_PROTOCOL);
    if (header.type == FRAME_NO_ANSWER && header.length == 0)
        return NULL;
    if (header.type != FRAME_ANSWER)
        _Exit(RUNNER_EXIT_PROTOCOL);
    text = malloc((size_t)header.length + 1);
    if (text == NULL)
        _Exit(RUNNER_EXIT_NO_MEMORY);
    read_all(text, header.length);
    text[header.length] = '\0';
    return text;
}

const char *services_ask(uint8_t type, const Span *spans, size_t count) {
    (void)pthread_mutex_lock(&mutex);
    send_request(type, ++last_id, spans, count);
    /* Not earlier, because the request may contain the previous answer. */
    free(answer);
    answer = receive_answer(last_id);
    (void)pthread_mutex_unlock(&mutex);
    return answer;
}
