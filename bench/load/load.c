/* SPDX-License-Identifier: MIT */
/*
 * Loads an HTTP server on this machine. At a fixed rate (open loop) it sends requests whether or not
 * answers arrive, and measures each latency from the time at which the request was due. A server that
 * pauses is charged for every request that was due in the pause (this avoids "coordinated omission"). A
 * request takes the connection that became idle last. If all are busy it waits, and its time runs. At rate
 * 0 (closed loop) every connection is opened first, and sends its next request when it has its answer.
 *
 *   load PORT PATH RATE SECONDS CONNECTIONS
 *     ->  {"p50":..,"p99":..,"p999":..,"requests":..,"failed":..}   µs, answers a second, requests
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 16384, ANSWER_MAX = 1024, REQUEST_MAX = 1024 };
enum { TIMER = CONNECTIONS_MAX, CLOSED_MAX = 4000000 };

static const double GIVE_UP_US = 2e6;

struct connection {
    int fd;
    double due_us;
    size_t have;
    char answer[ANSWER_MAX + 1];
};

static struct connection connections[CONNECTIONS_MAX];
static int idle[CONNECTIONS_MAX], idle_count, opened, connections_max;
static int epoll, timer;
static char request[REQUEST_MAX];
static size_t request_length;
static struct sockaddr_in server;
static double *latencies, began_us, end_us, interval_us;
/* In a closed loop, total is the number of results that fit into memory. */
static size_t total, sent, answered, failed;
static int closed;

static void check(int ok, const char *what) {
    if (ok)
        return;
    perror(what);
    exit(1);
}

static double now_us(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double due_us(size_t nth) {
    return began_us + (double)nth * interval_us;
}

static void watch(int fd, int number) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)number};

    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static int open_connection(int number) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

    check(fd >= 0, "socket");
    if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0) {
        close(fd);
        return 0;
    }
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0, "setsockopt");
    connections[number].fd = fd;
    watch(fd, number);
    return 1;
}

/* Drops a request and closes its connection. */
static void fail(int number) {
    failed++;
    close(connections[number].fd);
    if (open_connection(number))
        idle[idle_count++] = number;
}

/* Returns 0 when every connection is busy. */
static int ask(double due) {
    int number;

    if (idle_count > 0)
        number = idle[--idle_count];
    else if (opened < connections_max && open_connection(opened))
        number = opened++;
    else
        return 0;
    connections[number].due_us = due;
    connections[number].have = 0;
    if (write(connections[number].fd, request, request_length) != (ssize_t)request_length)
        fail(number);
    return 1;
}

static void ask_what_is_due(void) {
    double now = now_us();

    if (closed) {
        while (now < end_us && idle_count > 0 && ask(now))
            sent++;
        return;
    }
    while (sent < total && due_us(sent) <= now && ask(due_us(sent)))
        sent++;
}

/* Whether an answer has arrived with its whole body. */
static int is_whole(const struct connection *c) {
    const char *end = strstr(c->answer, "\r\n\r\n");
    const char *length = strcasestr(c->answer, "\ncontent-length:");

    if (end == NULL)
        return 0;
    if (length == NULL || length > end) {
        fprintf(stderr, "load: an answer without Content-Length\n");
        exit(1);
    }
    return c->have >= (size_t)(end + 4 - c->answer) + (size_t)atol(length + 16);
}

static void receive(int number) {
    struct connection *c = &connections[number];
    ssize_t got = read(c->fd, c->answer + c->have, ANSWER_MAX - c->have);

    if (got <= 0) {
        fail(number);
        return;
    }
    c->have += (size_t)got;
    c->answer[c->have] = '\0';
    if (!is_whole(c))
        return;
    if (strncmp(c->answer, "HTTP/1.1 200", 12) == 0)
        latencies[answered++] = now_us() - c->due_us;
    else
        failed++;
    idle[idle_count++] = number;
}

/* Wakes for the next request; where that waits for an answer, to see whether to go on waiting. */
static void set_timer(void) {
    double now = now_us(), due = sent < total && !closed ? due_us(sent) : 0;
    double next = due > now ? due : now + 1e5;
    struct itimerspec at = {0};

    at.it_value.tv_sec = (time_t)(next / 1e6);
    at.it_value.tv_nsec = (long)((next - (double)at.it_value.tv_sec * 1e6) * 1e3);
    check(timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL) == 0, "timerfd_settime");
}

static void receive_all(void) {
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, 256, -1);

    for (int i = 0; i < count; i++) {
        uint64_t expirations;

        if (events[i].data.u32 == TIMER)
            (void)!read(timer, &expirations, sizeof expirations);
        else
            receive((int)events[i].data.u32);
    }
}

static void open_loop(void) {
    while (answered + failed < total && now_us() < end_us + GIVE_UP_US) {
        receive_all();
        ask_what_is_due();
        set_timer();
    }
    failed = total - answered;
}

/* Requests in flight at the end are not counted. */
static void closed_loop(void) {
    while (opened < connections_max) {
        check(open_connection(opened), "connect");
        idle[idle_count++] = opened++;
    }
    began_us = now_us();
    end_us += began_us;
    while (now_us() < end_us && answered < total) {
        ask_what_is_due();
        set_timer();
        receive_all();
    }
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_share(const char *name, size_t per_mille) {
    if (answered == 0)
        printf("\"%s\":null,", name);
    else
        printf("\"%s\":%.1f,", name, latencies[(answered - 1) * per_mille / 1000]);
}

int main(int argc, char **argv) {
    double seconds;

    check(argc == 6, "load PORT PATH RATE SECONDS CONNECTIONS");
    server =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    closed = atof(argv[3]) == 0;
    interval_us = closed ? 0 : 1e6 / atof(argv[3]);
    end_us = atof(argv[4]) * 1e6;
    total = closed ? CLOSED_MAX : (size_t)(atof(argv[3]) * atof(argv[4]));
    connections_max = atoi(argv[5]);
    check(connections_max > 0 && connections_max <= CONNECTIONS_MAX, "CONNECTIONS");
    request_length = (size_t)snprintf(request, sizeof request,
                                      "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[2]);
    check(request_length < sizeof request, "PATH");
    latencies = calloc(total, sizeof *latencies);
    epoll = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, 0);
    check(latencies != NULL && epoll >= 0 && timer >= 0, "load");
    watch(timer, TIMER);
    if (closed) {
        closed_loop();
    } else {
        began_us = now_us() + 1e4;
        end_us += began_us;
        set_timer();
        open_loop();
    }
    seconds = (now_us() - began_us) / 1e6;
    qsort(latencies, answered, sizeof *latencies, compare);
    printf("{");
    print_share("p50", 500);
    print_share("p99", 990);
    print_share("p999", 999);
    printf("\"requests\":%.1f,\"failed\":%zu}\n", (double)answered / seconds, failed);
    return 0;
}
