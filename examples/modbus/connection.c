#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* How soon a wait notices `stopping`. */
enum { SLICE_MS = 50 };

int64_t monotonic_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool connection_init(Connection *connection, const char *host, uint16_t port) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    connection->socket = -1;
    atomic_store(&connection->stopping, false);
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(&connection->address, &v4, connection->address_size = sizeof v4);
    } else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        memcpy(&connection->address, &v6, connection->address_size = sizeof v6);
    } else {
        return false;
    }
    return true;
}

/* Waits until the socket is ready. False when the time is over. */
static bool wait_for(Connection *connection, short events, int64_t until) {
    struct pollfd waiting = {.fd = connection->socket, .events = events};
    while (!atomic_load(&connection->stopping)) {
        int64_t left = until - monotonic_ms();
        if (left <= 0) {
            return false;
        }
        int ready = poll(&waiting, 1, left < SLICE_MS ? (int)left : SLICE_MS);
        if (ready > 0 || (ready < 0 && errno != EINTR)) {
            return true; /* what is wrong, the next call on the socket says */
        }
    }
    return false;
}

static Outcome failed(const char *what) {
    return outcome(OUTCOME_NOT_CONNECTED, "%s: %s", what, strerror(errno));
}

Outcome connection_open(Connection *connection, int64_t until) {
    int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    connection->socket = socket(connection->address.ss_family, type, IPPROTO_TCP);
    if (connection->socket < 0) {
        return failed("no socket");
    }
    int one = 1;
    (void)setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const struct sockaddr *address = (const struct sockaddr *)&connection->address;
    if (connect(connection->socket, address, connection->address_size) == 0) {
        return outcome(OUTCOME_ANSWERED, "%s", "");
    }
    Outcome result = failed("cannot connect");
    if (errno == EINPROGRESS) {
        int error = 0;
        socklen_t size = sizeof error;
        if (!wait_for(connection, POLLOUT, until)) {
            result = outcome(OUTCOME_NOT_CONNECTED, "cannot connect: no answer in time");
        } else if (getsockopt(connection->socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
                   error == 0) {
            return outcome(OUTCOME_ANSWERED, "%s", "");
        } else {
            errno = error;
            result = failed("cannot connect");
        }
    }
    connection_close(connection);
    return result;
}

bool connection_is_usable(const Connection *connection) {
    struct pollfd now = {.fd = connection->socket, .events = POLLIN};
    return connection->socket >= 0 && poll(&now, 1, 0) == 0;
}

Outcome connection_send(Connection *connection, const uint8_t *bytes, size_t size, int64_t until) {
    while (size > 0) {
        if (!wait_for(connection, POLLOUT, until)) {
            return outcome(OUTCOME_NO_REPLY, "the device took no request in time");
        }
        ssize_t sent = send(connection->socket, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return failed("cannot send");
        }
        bytes += sent < 0 ? 0 : sent;
        size -= sent < 0 ? 0 : (size_t)sent;
    }
    return outcome(OUTCOME_ANSWERED, "%s", "");
}

Outcome connection_receive(Connection *connection, uint8_t *bytes, size_t *size, int64_t until) {
    size_t room = *size;
    *size = 0;
    while (*size == 0) {
        if (!wait_for(connection, POLLIN, until)) {
            return outcome(OUTCOME_NO_REPLY, "no reply in time");
        }
        ssize_t received = recv(connection->socket, bytes, room, 0);
        if (received == 0) {
            return outcome(OUTCOME_NOT_CONNECTED, "the device closed the connection");
        }
        if (received < 0 && errno != EAGAIN && errno != EINTR) {
            return failed("the connection broke");
        }
        *size = received < 0 ? 0 : (size_t)received;
    }
    return outcome(OUTCOME_ANSWERED, "%s", "");
}

void connection_close(Connection *connection) {
    if (connection->socket >= 0) {
        (void)close(connection->socket);
    }
    connection->socket = -1;
}
