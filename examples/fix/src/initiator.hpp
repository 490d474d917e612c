// The thread that owns the session: it connects, sends, receives and connects again.
//
// SPDX-License-Identifier: MIT
#ifndef INITIATOR_HPP
#define INITIATOR_HPP

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "connection.hpp"
#include "fix_decoder.hpp"
#include "journal.hpp"
#include "order_book.hpp"
#include "session.hpp"

namespace fix {

struct InitiatorSettings {
    SessionSettings session;
    std::string host;
    int port = 0;
    std::string store;
    std::uint64_t journal_max_bytes = 0;
    std::chrono::milliseconds reconnect_delay{200};
    std::chrono::milliseconds max_reconnect_delay{5000};
    std::chrono::milliseconds connect_timeout{5000};
};

/// The session as clients see it.
struct SessionStatus {
    std::string state = "starting";
    std::string last_error;
    std::uint64_t next_sender = 0;
    std::uint64_t next_target = 0;
    std::uint64_t garbled = 0;
};

class Initiator : private Application {
  public:
    /// Starts the thread.
    explicit Initiator(InitiatorSettings settings);

    /// Logs out, waits a second for the peer's answer, and ends the thread.
    ~Initiator() override;

    /// Any thread.
    SessionStatus status() const;

    /// Any thread. Orders that are submitted here are sent after wake().
    OrderBook &orders() {
        return orders_;
    }

    void wake() {
        waker_.wake();
    }

  private:
    bool on_message(const Message &message) override;
    void on_reject(const Message &rejected, const Message &reject) override;

    void run();
    void open_journal();
    std::string one_connection(Session &session);
    std::string connect(Connection &connection);
    std::string exchange(Connection &connection, Session &session);
    void send_orders(Session &session);
    void begin_log_out(Session &session);
    void set_state(const std::string &state);
    void publish(const Session &session);
    void publish_error(const std::string &error);

    InitiatorSettings settings_;
    OrderBook orders_;
    Waker waker_;
    std::unique_ptr<Journal> journal_;
    std::uint64_t garbled_ = 0;
    std::atomic<bool> stopping_{false};
    Clock::time_point stop_at_;
    mutable std::mutex mutex_;
    SessionStatus status_;
    std::thread thread_;
};

} // namespace fix

#endif
