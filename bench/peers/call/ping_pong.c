/* SPDX-License-Identifier: MIT */
/*
 * The lower bound for a call to another process: two C programs and a socket pair, nothing else. A
 * request has 216 bytes and an answer 61, the sizes of Backworks's frames for the benchmark's payload.
 *
 * Reads lines. For each it measures `milliseconds` of rounds with `width` requests in one write:
 *   {"milliseconds":500,"width":1}  ->  {"p50":..,"p99":..,"perCall":..}   microseconds
 * As `ping_pong --answer` it only answers: one byte when it is ready, then rounds on descriptor 3.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { QUESTION = 216, ANSWER = 61, WIDTH_MAX = 256, ROUNDS_MAX = 4000000 };

static float times[ROUNDS_MAX];

static double now_us(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void check(int ok, const char *what) {
    if (ok)
        return;
    perror(what);
    exit(1);
}

static void write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);

        check(written > 0, "write");
        bytes += written;
        length -= (size_t)written;
    }
}

/* Answers all complete requests with one write, until the other side closes. */
static void answer(int fd) {
    static char questions[QUESTION * WIDTH_MAX], answers[ANSWER * WIDTH_MAX];
    size_t have = 0;

    for (;;) {
        ssize_t got = read(fd, questions + have, sizeof questions - have);
        size_t whole;

        if (got <= 0)
            _Exit(0);
        have += (size_t)got;
        whole = have / QUESTION;
        if (whole > 0)
            write_all(fd, answers, whole * ANSWER);
        have -= whole * QUESTION;
        memmove(questions, questions + whole * QUESTION, have);
    }
}

static double ask(int fd, size_t width) {
    static char questions[QUESTION * WIDTH_MAX], answers[ANSWER * WIDTH_MAX];
    double started = now_us();
    size_t left = width * ANSWER;

    write_all(fd, questions, width * QUESTION);
    while (left > 0) {
        ssize_t got = read(fd, answers, left);

        check(got > 0, "read");
        left -= (size_t)got;
    }
    return now_us() - started;
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static void measure(int fd, double milliseconds, size_t width) {
    double started = now_us(), elapsed;
    size_t rounds = 0;

    do {
        times[rounds++] = (float)ask(fd, width);
        elapsed = now_us() - started;
    } while (elapsed < milliseconds * 1000 && rounds < ROUNDS_MAX);
    qsort(times, rounds, sizeof *times, compare);
    printf("{\"p50\":%.2f,\"p99\":%.2f,\"perCall\":%.3f}\n", (double)times[rounds / 2],
           (double)times[rounds * 99 / 100], elapsed / (double)(rounds * width));
    fflush(stdout);
}

int main(int argc, char **argv) {
    char line[256];
    int ends[2];
    pid_t child;

    if (argc > 1 && strcmp(argv[1], "--answer") == 0) {
        write_all(3, "!", 1);
        answer(3);
    }
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    child = fork();
    check(child >= 0, "fork");
    if (child == 0) {
        close(ends[0]);
        answer(ends[1]);
    }
    close(ends[1]);
    printf("{}\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        double milliseconds = 0;
        size_t width = 0;

        check(sscanf(line, "{\"milliseconds\":%lf,\"width\":%zu}", &milliseconds, &width) == 2 &&
                  width >= 1 && width <= WIDTH_MAX,
              line);
        measure(ends[0], milliseconds, width);
    }
    close(ends[0]);
    (void)waitpid(child, NULL, 0);
    return 0;
}
