/* SPDX-License-Identifier: MIT */
/* GNU's declarations take a transparent union of address types, which a definition cannot repeat. */
#define _DEFAULT_SOURCE
#include "interpose/interpose.h"

#if defined(__GLIBC__)

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { NO_PORT = -1, TYPE_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK };

#define FAILED (outcome == -1 && was_refused())

static bool is_internet(int family) {
    return family == AF_INET || family == AF_INET6;
}

/* The sandbox refuses socket types that no permission allows with EAFNOSUPPORT, like an old kernel. */
static bool socket_was_refused(int family) {
    return was_refused() || (family == AF_UNIX && errno == EAFNOSUPPORT);
}

static void note_socket(const char *function, int family, int type) {
    enum permission permission = PERMISSION_NEVER;

    if (is_internet(family) && (type & ~TYPE_FLAGS) == SOCK_STREAM)
        permission = PERMISSION_NETWORK_CONNECT;
    else if (is_internet(family) && (type & ~TYPE_FLAGS) == SOCK_DGRAM)
        permission = PERMISSION_NETWORK_UDP;
    refusals_note(permission, function, "");
}

static long port_of(const struct sockaddr *address, socklen_t length) {
    struct sockaddr_in internet = {0};
    struct sockaddr_in6 internet6 = {0};

    if (address == NULL || length < sizeof internet)
        return NO_PORT;
    if (address->sa_family == AF_INET) {
        memcpy(&internet, address, sizeof internet);
        return ntohs(internet.sin_port);
    }
    if (address->sa_family != AF_INET6 || length < sizeof internet6)
        return NO_PORT;
    memcpy(&internet6, address, sizeof internet6);
    return ntohs(internet6.sin6_port);
}

/* Notes the permission that an address would need; `tcp` is that permission for a TCP socket. */
static void note_address(const char *function, int descriptor, enum permission tcp,
                         const struct sockaddr *address, socklen_t length) {
    long port = port_of(address, length);
    int error = errno;
    int type = 0;
    socklen_t size = sizeof type;

    if (port == NO_PORT)
        tcp = PERMISSION_NEVER;
    else if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM)
        tcp = PERMISSION_NETWORK_UDP;
    errno = error;
    refusals_note_number(tcp, function, port);
}

/* The address the socket is bound to; an unbound socket has port 0. */
static socklen_t address_of(int descriptor, struct sockaddr_storage *address) {
    socklen_t length = sizeof *address;
    int error = errno;

    if (getsockname(descriptor, (struct sockaddr *)address, &length) != 0)
        length = 0;
    errno = error;
    return length;
}

static bool is_unbound(int descriptor) {
    struct sockaddr_storage address = {0};

    return port_of((struct sockaddr *)&address, address_of(descriptor, &address)) == 0;
}

static void note_listen(int descriptor) {
    struct sockaddr_storage address = {0};
    socklen_t length = address_of(descriptor, &address);

    note_address("listen", descriptor, PERMISSION_NETWORK_LISTEN, (struct sockaddr *)&address,
                 length);
}

INTERPOSE(int, socket, (int family, int type, int protocol), (family, type, protocol),
          outcome == -1 && socket_was_refused(family), note_socket("socket", family, type))
INTERPOSE(int, socketpair, (int family, int type, int protocol, int pair[2]),
          (family, type, protocol, pair), FAILED, refusals_note(PERMISSION_NEVER, "socketpair", ""))
INTERPOSE(int, connect, (int descriptor, const struct sockaddr *address, socklen_t length),
          (descriptor, address, length), FAILED,
          note_address("connect", descriptor, PERMISSION_NETWORK_CONNECT, address, length))
INTERPOSE(int, bind, (int descriptor, const struct sockaddr *address, socklen_t length),
          (descriptor, address, length), FAILED,
          note_address("bind", descriptor, PERMISSION_NETWORK_LISTEN, address, length))

/*
 * Without bind() the kernel chooses a port itself and asks neither Landlock nor seccomp. No permission
 * can name such a port, so the call fails here and the plugin's author sees the mistake. This is not a
 * security boundary: see SECURITY.md.
 */
NEXT(listen)
INTERPOSED int listen(int descriptor, int backlog) {
    int outcome = -1;

    if (listen_next == NULL)
        find_listen();
    if (refusals_are_recorded() && is_unbound(descriptor))
        errno = EPERM;
    else
        outcome = listen_next(descriptor, backlog);
    if (__builtin_expect(FAILED, 0))
        note_listen(descriptor);
    return outcome;
}

/* The sandbox refuses only TCP Fast Open, because Landlock does not check its connection. */
INTERPOSE(ssize_t, sendto,
          (int descriptor, const void *bytes, size_t size, int flags,
           const struct sockaddr *address, socklen_t length),
          (descriptor, bytes, size, flags, address, length), FAILED,
          refusals_note(PERMISSION_NEVER, "sendto", ""))
INTERPOSE(ssize_t, sendmsg, (int descriptor, const struct msghdr *message, int flags),
          (descriptor, message, flags), FAILED, refusals_note(PERMISSION_NEVER, "sendmsg", ""))

#endif
