// SPDX-License-Identifier: MIT
#include "connection.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fix {

namespace {

/// A peer that reads nothing loses its connection when so many bytes wait for it.
constexpr std::size_t MAX_UNSENT = 16 << 20;

} // namespace

Waker::Waker() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (event_ < 0) {
        throw std::runtime_error(std::string("eventfd: ") + std::strerror(errno));
    }
}

Waker::~Waker() {
    ::close(event_);
}

void Waker::wake() {
    const std::uint64_t one = 1;
    // It can only fail when the thread has been woken already.
    [[maybe_unused]] const ssize_t count = ::write(event_, &one, sizeof one);
}

void Waker::drain() {
    std::uint64_t value = 0;
    [[maybe_unused]] const ssize_t count = ::read(event_, &value, sizeof value);
}

void Waker::wait(std::chrono::milliseconds time) {
    pollfd entry = {event_, POLLIN, 0};
    poll(&entry, 1, static_cast<int>(time.count()));
    drain();
}

std::string Connection::open(const std::string &host, int port) {
    close();
    sockaddr_in6 v6 = {};
    sockaddr_in v4 = {};
    v6.sin6_family = AF_INET6;
    v4.sin_family = AF_INET;
    v6.sin6_port = v4.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool is_v4 = inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) {
        return host + " is not an IP address";
    }
    const auto *address =
        is_v4 ? reinterpret_cast<const sockaddr *>(&v4) : reinterpret_cast<const sockaddr *>(&v6);
    socket_ = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) {
        return std::string("socket: ") + std::strerror(errno);
    }
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const socklen_t size = is_v4 ? sizeof v4 : sizeof v6;
    if (connect(socket_, address, size) != 0 && errno != EINPROGRESS) {
        return std::string("connect: ") + std::strerror(errno);
    }
    return "";
}

void Connection::wait(const Waker &waker, bool connecting, std::chrono::milliseconds time) const {
    const auto events = static_cast<short>(connecting     ? POLLOUT
                                           : has_unsent() ? POLLIN | POLLOUT
                                                          : POLLIN);
    pollfd entries[] = {{socket_, events, 0}, {waker.descriptor(), POLLIN, 0}};
    poll(entries, 2, static_cast<int>(time.count()));
}

bool Connection::is_open(std::string &error) const {
    int code = 0;
    socklen_t size = sizeof code;
    if (getsockopt(socket_, SOL_SOCKET, SO_ERROR, &code, &size) != 0) {
        code = errno;
    }
    if (code != 0) {
        error = std::string("connect: ") + std::strerror(code);
        return false;
    }
    sockaddr_storage peer = {};
    socklen_t peer_size = sizeof peer;
    return getpeername(socket_, reinterpret_cast<sockaddr *>(&peer), &peer_size) == 0;
}

bool Connection::read(std::string &into) {
    char buffer[16384];
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count > 0) {
        into.append(buffer, static_cast<std::size_t>(count));
        return true;
    }
    return count < 0 && (errno == EAGAIN || errno == EINTR);
}

bool Connection::write(const std::string &bytes) {
    unsent_ += bytes;
    if (unsent_.size() > MAX_UNSENT) {
        return false;
    }
    while (!unsent_.empty()) {
        const ssize_t count = send(socket_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
        if (count > 0) {
            unsent_.erase(0, static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

void Connection::close() {
    if (socket_ >= 0) {
        ::close(socket_);
    }
    socket_ = -1;
    unsent_.clear();
}

} // namespace fix
