// The FIX session of an initiator: which message follows which. It makes and reads bytes, and leaves sockets to its owner.
//
// SPDX-License-Identifier: MIT
#ifndef SESSION_HPP
#define SESSION_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fix_decoder.hpp"
#include "journal.hpp"

namespace fix {

using Clock = std::chrono::steady_clock;

struct SessionSettings {
    std::string sender_comp_id;
    std::string target_comp_id;
    std::uint64_t heart_bt_int = 30;
    bool reset_seq_num = false;
    /// How far SendingTime of the peer may be from the clock, in seconds; 0 for any distance.
    std::uint64_t max_clock_difference = 120;
};

/// Receives what the session does not handle itself. Called on the thread that drives the session.
class Application {
  public:
    virtual ~Application() = default;

    /// A message of the application, in sequence and once. False: its type is not supported.
    virtual bool on_message(const Message &message) = 0;

    /// The peer rejected this message of the application, by Reject or BusinessMessageReject.
    virtual void on_reject(const Message &rejected, const Message &reject) = 0;
};

/// Used by one thread. Functions throw JournalError when a number cannot be stored; nothing is sent then.
class Session {
  public:
    enum class State { disconnected, logging_on, logged_on, logging_out };

    Session(SessionSettings settings, Journal &journal, Application &application);

    /// The connection is open: logs on.
    void connected(Clock::time_point now);

    /// The connection is closed.
    void disconnected();

    void received(const Decoded &decoded, Clock::time_point now);

    /// Sends what is due by now, such as Heartbeat.
    void tick(Clock::time_point now);

    /// Begins to log out. The session is to be closed when the peer answers.
    void log_out(const std::string &text, Clock::time_point now);

    /// Sends a message of the application. @returns its MsgSeqNum
    std::uint64_t send(const Message &message, Clock::time_point now);

    /// Adds the next of the messages that the peer has requested again to the output, about RESEND_SIZE bytes of them. To be called
    /// when all output is sent, so that a peer that requests much and reads slowly does not fill the memory.
    void resend(Clock::time_point now);

    /// Bytes for the peer, which are the caller's from now on.
    std::string take_output();

    /// Whether resend() has more to send. New orders are sent after that.
    bool is_resending() const {
        return resend_next_ <= resend_last_;
    }

    State state() const {
        return state_;
    }

    /// Why the owner must close the connection after it has sent the output; nothing while it stays open.
    const std::optional<std::string> &closing() const {
        return closing_;
    }

    /// Why the session has ended, when the peer has closed the connection.
    std::string end_reason() const {
        return closing_.value_or(logged_out_ ? *logged_out_ : "the peer closed the connection");
    }

    static constexpr std::size_t RESEND_SIZE = 4096;

  private:
    Message header(const char *type, std::uint64_t number) const;
    void write(const Message &message, Clock::time_point now);
    std::uint64_t send_session(const char *type, const Message &body, Clock::time_point now);
    void reject(const Message &message, RejectReason reason, int field, Clock::time_point now);
    void end(const std::string &why, Clock::time_point now);
    bool accept_header(const Decoded &decoded, Clock::time_point now);
    void on_logon(const Message &message, std::uint64_t number, Clock::time_point now);
    void on_sequence_reset(const Message &message, Clock::time_point now);
    void on_too_high(const Message &message, std::uint64_t number, Clock::time_point now);
    void on_reject(const Message &message);
    std::optional<Message> sent_message(std::uint64_t number) const;
    void in_sequence(const Decoded &decoded, Clock::time_point now);
    void on_application(const Decoded &decoded, Clock::time_point now);
    void on_session_message(const Decoded &decoded, Clock::time_point now);
    void on_logout(const Message &message, Clock::time_point now);
    void on_too_low(const Message &message, std::uint64_t number, Clock::time_point now);
    bool is_on_time(const Message &message) const;
    void break_off(const Message &message, RejectReason reason, int field, const std::string &why,
                   Clock::time_point now);
    void on_gap_fill(const Message &message, std::uint64_t number, Clock::time_point now);
    void on_resend_request(const Message &message, Clock::time_point now);
    void resend_message(const Message &original, std::uint64_t number, Clock::time_point now);
    void fill_gap(std::uint64_t first, std::uint64_t next, Clock::time_point now);
    void request_resend(Clock::time_point now);
    Clock::duration interval() const {
        return std::chrono::seconds(settings_.heart_bt_int);
    }

    SessionSettings settings_;
    Journal &journal_;
    Application &application_;
    State state_ = State::disconnected;
    std::optional<std::string> closing_;
    /// Set when the peer has logged out.
    std::optional<std::string> logged_out_;
    std::string output_;
    Clock::time_point last_sent_;
    Clock::time_point last_received_;
    Clock::time_point logout_at_;
    bool test_sent_ = false;
    /// BeginSeqNo of the last ResendRequest of this connection, or 0.
    std::uint64_t requested_from_ = 0;
    /// The highest number that came too early. The gap is closed when it has come again.
    std::uint64_t gap_end_ = 0;
    Clock::time_point requested_at_;
    /// What the peer has requested and not got: from the first to the last number.
    std::uint64_t resend_next_ = 1;
    std::uint64_t resend_last_ = 0;
};

} // namespace fix

#endif
