// SPDX-License-Identifier: MIT
#include "initiator.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <backworks/cpp/host.hpp>

namespace fix {

namespace {

/// How long shutdown waits for the answer to Logout.
constexpr auto LOGOUT_TIME = std::chrono::seconds(1);
/// How often the timers of the session are looked at.
constexpr auto TICK = std::chrono::milliseconds(100);

const char *name_of(Session::State state) {
    switch (state) {
    case Session::State::logging_on:
        return "loggingOn";
    case Session::State::logged_on:
        return "loggedOn";
    case Session::State::logging_out:
        return "loggingOut";
    case Session::State::disconnected:
        break;
    }
    return "disconnected";
}

std::optional<Message> decode(std::string_view bytes) {
    Decoder decoder;
    decoder.append(bytes);
    auto decoded = decoder.next();
    return decoded ? std::optional<Message>(std::move(decoded->message)) : std::nullopt;
}

} // namespace

Initiator::Initiator(InitiatorSettings settings) : settings_(std::move(settings)) {
    thread_ = std::thread([this] { run(); });
}

Initiator::~Initiator() {
    stopping_ = true;
    waker_.wake();
    thread_.join();
}

SessionStatus Initiator::status() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return status_;
}

bool Initiator::on_message(const Message &message) {
    if (message.type() != type::ExecutionReport) {
        return false;
    }
    if (!orders_.add_report(message)) {
        backworks::host::warn("an ExecutionReport names no order of this session");
    }
    return true;
}

void Initiator::on_reject(const Message &rejected, const Message &reject) {
    orders_.add_reject(rejected, reject);
}

/// An exception that leaves a thread ends the process: what can fail is tried again.
void Initiator::run() {
    auto delay = settings_.reconnect_delay;
    while (!stopping_) {
        const auto began = Clock::now();
        std::string error;
        bool busy = false;
        try {
            if (!journal_) {
                open_journal();
            }
            Session session(settings_.session, *journal_, *this);
            error = one_connection(session);
        } catch (const JournalBusy &exception) {
            busy = true;
            error = exception.what();
        } catch (const std::exception &exception) {
            error = exception.what();
        }
        orders_.set_accepting(false, error);
        publish_error(error);
        if (stopping_) {
            break;
        }
        // The former version of this plugin has the journal until it has logged out.
        if (busy) {
            waker_.wait(TICK);
            continue;
        }
        backworks::host::warn("disconnected: " + error);
        // A connection that lasted was a good one.
        if (Clock::now() - began > settings_.max_reconnect_delay) {
            delay = settings_.reconnect_delay;
        }
        const auto until = Clock::now() + delay;
        while (!stopping_ && Clock::now() < until) {
            waker_.wait(TICK);
        }
        delay = std::min(delay * 2, settings_.max_reconnect_delay);
    }
    set_state("stopped");
}

/// Reads the orders of former processes. Another process that has the file, such as the former version of this plugin, ends soon.
void Initiator::open_journal() {
    set_state("opening the journal");
    const SessionSettings &session = settings_.session;
    std::map<std::uint64_t, Message> sent;
    const auto replay = [&](Journal::Event event, std::uint64_t number, std::string_view bytes) {
        const auto message = decode(bytes);
        if (event == Journal::Event::reset) {
            sent.clear();
        } else if (message && event == Journal::Event::sent) {
            sent[number] = *message;
            orders_.add_sent(*message);
        } else if (message && message->type() == type::ExecutionReport) {
            orders_.add_report(*message);
        } else if (message) {
            const auto rejected = sent.find(message->number(tag::RefSeqNum).value_or(0));
            if (rejected != sent.end()) {
                orders_.add_reject(rejected->second, *message);
            }
        }
    };
    journal_ = std::make_unique<Journal>(settings_.store + "/session.journal",
                                         session.sender_comp_id + "->" + session.target_comp_id,
                                         settings_.journal_max_bytes, replay);
    if (journal_->removed() > 0) {
        backworks::host::warn("removed an unfinished record from the journal: " +
                              std::to_string(journal_->removed()) + " bytes");
    }
}

/// @returns why the connection ended
std::string Initiator::one_connection(Session &session) {
    publish(session);
    set_state("connecting");
    Connection connection;
    const std::string error = connect(connection);
    if (!error.empty()) {
        return error;
    }
    session.connected(Clock::now());
    std::string why = exchange(connection, session);
    session.disconnected();
    publish(session);
    return why;
}

std::string Initiator::connect(Connection &connection) {
    std::string error = connection.open(settings_.host, settings_.port);
    const auto until = Clock::now() + settings_.connect_timeout;
    while (error.empty()) {
        connection.wait(waker_, true, TICK);
        waker_.drain();
        if (connection.is_open(error)) {
            return "";
        }
        if (stopping_) {
            return "stopped";
        }
        if (error.empty() && Clock::now() > until) {
            error = "connect: timed out";
        }
    }
    return error;
}

/// Sends and receives until the session or the connection ends. @returns why it ended
std::string Initiator::exchange(Connection &connection, Session &session) {
    Decoder decoder;
    const std::uint64_t garbled_before = garbled_;
    for (;;) {
        if (!connection.has_unsent()) {
            session.resend(Clock::now());
        }
        const bool writable = connection.write(session.take_output());
        publish(session);
        if (session.closing() && (!writable || !connection.has_unsent())) {
            return *session.closing();
        }
        if (!writable) {
            return "the connection is lost";
        }
        const bool more = session.is_resending() && !connection.has_unsent();
        connection.wait(waker_, false, more ? std::chrono::milliseconds(0) : TICK);
        waker_.drain();
        std::string bytes;
        const bool open = connection.read(bytes);
        decoder.append(bytes);
        while (const auto decoded = decoder.next()) {
            session.received(*decoded, Clock::now());
        }
        garbled_ = garbled_before + decoder.garbled();
        if (!open) {
            return session.end_reason();
        }
        session.tick(Clock::now());
        if (stopping_) {
            begin_log_out(session);
        } else {
            send_orders(session);
        }
    }
}

void Initiator::begin_log_out(Session &session) {
    if (session.state() == Session::State::logging_out) {
        if (Clock::now() - stop_at_ > LOGOUT_TIME) {
            session.disconnected();
            session.log_out("the peer does not answer Logout", Clock::now());
        }
        return;
    }
    stop_at_ = Clock::now();
    orders_.set_accepting(false, "the plugin stops");
    if (!session.closing()) {
        session.log_out("the plugin stops", stop_at_);
    }
}

void Initiator::send_orders(Session &session) {
    if (session.closing() || session.state() != Session::State::logged_on) {
        orders_.set_accepting(false, "not logged on");
        return;
    }
    orders_.set_accepting(true);
    if (session.is_resending()) {
        return;
    }
    while (const auto order = orders_.take()) {
        const std::string cl_ord_id(order->find(tag::ClOrdID).value_or(""));
        try {
            if (journal_->has_space(order->encode().size() + 256)) {
                session.send(*order, Clock::now());
            } else {
                orders_.fail(cl_ord_id, "the journal is full");
            }
        } catch (const JournalError &error) {
            orders_.fail(cl_ord_id, error.what());
            throw;
        }
    }
}

void Initiator::set_state(const std::string &state) {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_.state = state;
}

void Initiator::publish(const Session &session) {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_.state = name_of(session.state());
    status_.next_sender = journal_->next_sender();
    status_.next_target = journal_->next_target();
    status_.garbled = garbled_;
    if (session.state() == Session::State::logged_on) {
        status_.last_error.clear();
    }
}

void Initiator::publish_error(const std::string &error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_.state = "disconnected";
    status_.last_error = error;
}

} // namespace fix
