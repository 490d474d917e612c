/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#define _DARWIN_C_SOURCE /* MSG_DONTWAIT, which macOS hides from a program that asks for POSIX only */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/channel.h"
#include "protocol.h"

/* The descriptor that answers are written to. */
static int answers = PROTOCOL_DESCRIPTOR;

/* The channel is two pipes or one socket. channel_try_write() needs a pipe that does not block. */
static void find_answers(void) {
    struct stat file;

    if (fstat(PROTOCOL_DESCRIPTOR, &file) != 0 || !S_ISFIFO(file.st_mode)) {
        (void)close(ANSWERS_DESCRIPTOR);
        return;
    }
    answers = ANSWERS_DESCRIPTOR;
    (void)fcntl(answers, F_SETFD, FD_CLOEXEC);
    (void)fcntl(answers, F_SETFL, O_WRONLY | O_NONBLOCK);
}

void channel_prepare(void) {
    int flags = fcntl(PROTOCOL_DESCRIPTOR, F_GETFD);

    if (flags >= 0)
        (void)fcntl(PROTOCOL_DESCRIPTOR, F_SETFD, flags | FD_CLOEXEC);
    find_answers();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

/*
 * True when the failed operation can be tried again. Waits for a non-blocking descriptor: the runner has
 * nothing else to do.
 */
static int may_retry(int descriptor, short event) {
    struct pollfd channel = {.fd = descriptor, .events = event};

    if (errno == EINTR)
        return 1;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return 0;
    return poll(&channel, 1, -1) >= 0 || errno == EINTR;
}

static enum channel_result failure(void) {
    return errno == EPIPE || errno == ECONNRESET ? CHANNEL_CLOSED : CHANNEL_FAILED;
}

enum channel_result channel_read(void *into, size_t room, size_t *got) {
    ssize_t count;

    do {
        count = read(PROTOCOL_DESCRIPTOR, into, room);
    } while (count < 0 && may_retry(PROTOCOL_DESCRIPTOR, POLLIN));
    if (count < 0)
        return failure();
    *got = (size_t)count;
    return count == 0 ? CHANNEL_CLOSED : CHANNEL_OK;
}

enum channel_result channel_write(const void *bytes, size_t length) {
    const char *next = bytes;

    while (length > 0) {
        ssize_t count = write(answers, next, length);

        if (count < 0 && !may_retry(answers, POLLOUT))
            return failure();
        if (count > 0) {
            next += count;
            length -= (size_t)count;
        }
    }
    return CHANNEL_OK;
}

bool channel_try_write(const void *bytes, size_t length) {
    ssize_t count = answers == PROTOCOL_DESCRIPTOR
                        ? send(answers, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL)
                        : write(answers, bytes, length);

    return count == (ssize_t)length;
}

FILE *channel_divert_stdout(void) {
    int real = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

    if (real < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return NULL;
    return fdopen(real, "w");
}
