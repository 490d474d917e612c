/* A TCP connection to one device: opens, sends and receives until a moment, never longer. One thread at a time. */
#ifndef MODBUS_CONNECTION_H
#define MODBUS_CONNECTION_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "outcome.h"

typedef struct Connection {
    struct sockaddr_storage address;
    socklen_t address_size;
    int socket;           /* -1 while closed */
    atomic_bool stopping; /* set from any thread: ends every wait soon */
} Connection;

/* Milliseconds of the system's monotonic clock. Every `until` below is one of its moments. */
int64_t monotonic_ms(void);

/* Prepares a closed connection. `host` is an IPv4 or IPv6 address; false when it is not. */
bool connection_init(Connection *connection, const char *host, uint16_t port);

/* Connects. */
Outcome connection_open(Connection *connection, int64_t until);

/* Whether the connection is open, the device has not closed it, and no byte arrived that nobody asked for. */
bool connection_is_usable(const Connection *connection);

/* Sends all bytes. */
Outcome connection_send(Connection *connection, const uint8_t *bytes, size_t size, int64_t until);

/* Receives some bytes. `*size` is the room at first, and what arrived at the end. */
Outcome connection_receive(Connection *connection, uint8_t *bytes, size_t *size, int64_t until);

void connection_close(Connection *connection);

#endif
