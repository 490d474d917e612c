// A TCP connection whose waits end when somebody wakes its thread.
//
// SPDX-License-Identifier: MIT
#ifndef CONNECTION_HPP
#define CONNECTION_HPP

#include <chrono>
#include <string>

namespace fix {

/// Ends waits of another thread. wake() may be called on any thread.
class Waker {
  public:
    Waker();
    ~Waker();
    Waker(const Waker &) = delete;
    Waker &operator=(const Waker &) = delete;

    void wake();
    void drain();

    /// Waits until wake(), or until the time is over.
    void wait(std::chrono::milliseconds time);

    int descriptor() const {
        return event_;
    }

  private:
    int event_;
};

/// Used by one thread.
class Connection {
  public:
    Connection() = default;
    ~Connection() {
        close();
    }
    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;

    /// Begins to connect to a numeric IPv4 or IPv6 address. @returns an error, or an empty text
    std::string open(const std::string &host, int port);

    /// Waits for the connection, for bytes, for space to send, or for the waker.
    void wait(const Waker &waker, bool connecting, std::chrono::milliseconds time) const;

    /// Whether open() has succeeded. @param error set when it failed
    bool is_open(std::string &error) const;

    /// Adds what has arrived. @returns false when the peer has closed the connection
    bool read(std::string &into);

    /// Sends as much as fits now. @returns false when the connection is lost
    bool write(const std::string &bytes);

    /// Whether bytes wait for space.
    bool has_unsent() const {
        return !unsent_.empty();
    }

    void close();

  private:
    int socket_ = -1;
    std::string unsent_;
};

} // namespace fix

#endif
