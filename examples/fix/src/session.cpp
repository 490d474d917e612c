// SPDX-License-Identifier: MIT
#include "session.hpp"

#include <cstdio>
#include <ctime>
#include <utility>

namespace fix {

namespace {

constexpr auto ANSWER_TIME = std::chrono::seconds(10);

bool is_session_type(std::string_view type) {
    return type.size() == 1 &&
           (std::string_view("012345A").find(type[0]) != std::string_view::npos);
}

} // namespace

std::string utc_timestamp() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
    std::tm parts = {};
    gmtime_r(&seconds, &parts);
    char date[32];
    const std::size_t size = std::strftime(date, sizeof date, "%Y%m%d-%H:%M:%S", &parts);
    char fraction[8];
    std::snprintf(fraction, sizeof fraction, ".%03u", static_cast<unsigned>(milliseconds % 1000));
    return std::string(date, size) + fraction;
}

Session::Session(SessionSettings settings, Journal &journal, Application &application)
    : settings_(std::move(settings)), journal_(journal), application_(application) {
}

void Session::connected(Clock::time_point now) {
    closing_.reset();
    output_.clear();
    test_sent_ = false;
    resend_from_ = 0;
    last_received_ = now;
    state_ = State::logging_on;
    Message logon;
    logon.add(tag::EncryptMethod, "0").add(tag::HeartBtInt, settings_.heart_bt_int);
    if (settings_.reset_seq_num) {
        journal_.reset();
        logon.add(tag::ResetSeqNumFlag, "Y");
    }
    send_session(type::Logon, logon, now);
}

void Session::disconnected() {
    state_ = State::disconnected;
    output_.clear();
}

std::string Session::take_output() {
    return std::exchange(output_, std::string());
}

Message Session::header(const char *type, std::uint64_t number) const {
    Message message(type);
    message.add(tag::SenderCompID, settings_.sender_comp_id)
        .add(tag::TargetCompID, settings_.target_comp_id)
        .add(tag::MsgSeqNum, number);
    return message;
}

void Session::write(const Message &message, Clock::time_point now) {
    output_ += message.encode();
    last_sent_ = now;
}

std::uint64_t Session::send_session(const char *type, const Message &body, Clock::time_point now) {
    const std::uint64_t number = journal_.next_sender();
    Message message = header(type, number);
    message.add(tag::SendingTime, utc_timestamp());
    for (const auto &[field, value] : body.fields()) {
        message.add(field, value);
    }
    journal_.sent("");
    write(message, now);
    return number;
}

std::uint64_t Session::send(const Message &body, Clock::time_point now) {
    const std::uint64_t number = journal_.next_sender();
    Message message = header(std::string(body.type()).c_str(), number);
    message.add(tag::SendingTime, utc_timestamp());
    for (const auto &[field, value] : body.fields()) {
        if (field != tag::MsgType) {
            message.add(field, value);
        }
    }
    // First on the disk, then to the peer: a number is never used twice.
    journal_.sent(message.encode());
    write(message, now);
    return number;
}

void Session::reject(const Message &message, RejectReason reason, int field,
                     Clock::time_point now) {
    Message body;
    body.add(tag::RefSeqNum, message.number(tag::MsgSeqNum).value_or(0));
    if (field > 0) {
        body.add(tag::RefTagID, static_cast<std::uint64_t>(field));
    }
    if (!message.type().empty()) {
        body.add(tag::RefMsgType, message.type());
    }
    body.add(tag::SessionRejectReason, static_cast<std::uint64_t>(reason));
    send_session(type::Reject, body, now);
}

/// Ends the session because the peer broke a rule: Logout, and no wait for an answer.
void Session::end(const std::string &why, Clock::time_point now) {
    if (state_ != State::logging_out) {
        send_session(type::Logout, Message().add(tag::Text, why), now);
    }
    closing_ = why;
}

void Session::log_out(const std::string &text, Clock::time_point now) {
    if (state_ != State::logged_on) {
        closing_ = text;
        return;
    }
    send_session(type::Logout, Message().add(tag::Text, text), now);
    state_ = State::logging_out;
    logout_at_ = now;
}

void Session::tick(Clock::time_point now) {
    if (closing_ || state_ == State::disconnected) {
        return;
    }
    if (state_ == State::logging_on) {
        if (now - last_received_ > ANSWER_TIME) {
            closing_ = "the peer does not answer Logon";
        }
        return;
    }
    if (state_ == State::logging_out && now - logout_at_ > ANSWER_TIME) {
        closing_ = "the peer does not answer Logout";
        return;
    }
    // The time of transmission is a fifth of the interval.
    const auto silent = now - last_received_;
    if (silent > interval() * 24 / 10) {
        closing_ = "the peer is silent";
    } else if (silent > interval() * 12 / 10 && !test_sent_) {
        test_sent_ = true;
        send_session(type::TestRequest, Message().add(tag::TestReqID, utc_timestamp()), now);
    } else if (now - last_sent_ >= interval()) {
        send_session(type::Heartbeat, Message(), now);
    }
}

void Session::received(const Decoded &decoded, Clock::time_point now) {
    if (closing_ || state_ == State::disconnected) {
        return;
    }
    last_received_ = now;
    test_sent_ = false;
    if (!accept_header(decoded, now)) {
        return;
    }
    const Message &message = decoded.message;
    const std::uint64_t number = *message.number(tag::MsgSeqNum);
    if (state_ == State::logging_on) {
        on_logon(message, number, now);
        return;
    }
    if (message.type() == type::SequenceReset && on_sequence_reset(message, now)) {
        return;
    }
    if (number > journal_.next_target()) {
        on_too_high(message, now);
    } else if (number == journal_.next_target()) {
        in_sequence(decoded, now);
    } else if (!message.is_set(tag::PossDupFlag)) {
        end("MsgSeqNum too low, expecting " + std::to_string(journal_.next_target()) +
                " but received " + std::to_string(number),
            now);
    }
    // A possible duplicate with a number that is too low has been handled before.
}

bool Session::accept_header(const Decoded &decoded, Clock::time_point now) {
    const Message &message = decoded.message;
    if (decoded.begin_string != BEGIN_STRING) {
        end("BeginString is " + decoded.begin_string + ", not " + BEGIN_STRING, now);
        return false;
    }
    if (!message.number(tag::MsgSeqNum)) {
        end("MsgSeqNum is missing", now);
        return false;
    }
    if (message.find(tag::SenderCompID) != settings_.target_comp_id ||
        message.find(tag::TargetCompID) != settings_.sender_comp_id) {
        if (state_ == State::logged_on) {
            const int field = message.find(tag::SenderCompID) != settings_.target_comp_id
                                  ? tag::SenderCompID
                                  : tag::TargetCompID;
            reject(message, RejectReason::CompIdProblem, field, now);
        }
        end("wrong SenderCompID or TargetCompID", now);
        return false;
    }
    return true;
}

void Session::on_logon(const Message &message, std::uint64_t number, Clock::time_point now) {
    const std::string text(message.find(tag::Text).value_or(""));
    if (message.type() == type::Logout) {
        if (number == journal_.next_target()) {
            journal_.received("");
        }
        closing_ = "the peer refuses Logon" + (text.empty() ? text : ": " + text);
        return;
    }
    if (message.type() != type::Logon) {
        end("the first message is not Logon", now);
        return;
    }
    if (message.is_set(tag::ResetSeqNumFlag) && !settings_.reset_seq_num) {
        end("the peer resets sequence numbers, and reset_seq_num is false", now);
        return;
    }
    if (number < journal_.next_target()) {
        end("MsgSeqNum too low, expecting " + std::to_string(journal_.next_target()) +
                " but received " + std::to_string(number),
            now);
        return;
    }
    state_ = State::logged_on;
    if (number == journal_.next_target()) {
        journal_.received("");
    } else {
        request_resend(now);
    }
}

/// Handles SequenceReset in reset mode, whose MsgSeqNum does not matter. @returns whether it was that
bool Session::on_sequence_reset(const Message &message, Clock::time_point now) {
    if (message.is_set(tag::GapFillFlag)) {
        return false;
    }
    const auto next = message.number(tag::NewSeqNo);
    if (!next) {
        reject(message, RejectReason::RequiredTagMissing, tag::NewSeqNo, now);
    } else if (*next < journal_.next_target()) {
        reject(message, RejectReason::ValueIncorrect, tag::NewSeqNo, now);
    } else {
        journal_.set_next_target(*next);
    }
    return true;
}

void Session::on_too_high(const Message &message, Clock::time_point now) {
    // Both sides may have gaps: answering first keeps them from waiting for each other.
    if (message.type() == type::ResendRequest) {
        on_resend_request(message, now);
    }
    if (message.type() == type::Logout) {
        if (state_ == State::logged_on) {
            send_session(type::Logout, Message(), now);
        }
        closing_ = "the peer logged out";
        return;
    }
    // One ResendRequest covers the whole gap. It is repeated when the resent messages have a gap, or do not come.
    const bool asked = resend_from_ != 0 && now - resend_at_ < interval();
    const bool new_gap = message.is_set(tag::PossDupFlag) && resend_from_ != journal_.next_target();
    if (!asked || new_gap) {
        request_resend(now);
    }
}

void Session::request_resend(Clock::time_point now) {
    resend_from_ = journal_.next_target();
    resend_at_ = now;
    Message body;
    body.add(tag::BeginSeqNo, resend_from_).add(tag::EndSeqNo, "0");
    send_session(type::ResendRequest, body, now);
}

void Session::in_sequence(const Decoded &decoded, Clock::time_point now) {
    const Message &message = decoded.message;
    const std::string_view type = message.type();
    if (decoded.defect) {
        journal_.received("");
        reject(message, decoded.defect->reason, decoded.defect->tag, now);
        return;
    }
    if (type == type::SequenceReset) {
        on_gap_fill(message, journal_.next_target(), now);
        return;
    }
    if (!is_session_type(type)) {
        // The journal has the message before the application does, so that its answers survive a crash.
        const bool known = type == type::ExecutionReport || type == type::BusinessMessageReject;
        journal_.received(known ? std::string_view(decoded.bytes) : std::string_view());
        if (type == type::BusinessMessageReject) {
            on_reject(message);
        } else if (!application_.on_message(message)) {
            Message body;
            body.add(tag::RefSeqNum, *message.number(tag::MsgSeqNum)).add(tag::RefMsgType, type);
            body.add(tag::BusinessRejectReason, "3").add(tag::Text, "unsupported message type");
            send_session(type::BusinessMessageReject, body, now);
        }
        return;
    }
    journal_.received(type == type::Reject ? std::string_view(decoded.bytes) : std::string_view());
    if (type == type::TestRequest) {
        if (const auto id = message.find(tag::TestReqID)) {
            send_session(type::Heartbeat, Message().add(tag::TestReqID, *id), now);
        } else {
            reject(message, RejectReason::RequiredTagMissing, tag::TestReqID, now);
        }
    } else if (type == type::ResendRequest) {
        on_resend_request(message, now);
    } else if (type == type::Reject) {
        on_reject(message);
    } else if (type == type::Logout) {
        const std::string text(message.find(tag::Text).value_or(""));
        if (state_ == State::logged_on) {
            send_session(type::Logout, Message(), now);
        }
        closing_ = "the peer logged out" + (text.empty() ? text : ": " + text);
    }
}

void Session::on_reject(const Message &message) {
    if (const auto rejected = sent_message(message.number(tag::RefSeqNum).value_or(0))) {
        application_.on_reject(*rejected, message);
    }
}

/// A message of the application that was sent since the last reset.
std::optional<Message> Session::sent_message(std::uint64_t number) const {
    Decoder decoder;
    decoder.append(journal_.message(number).value_or(""));
    const auto decoded = decoder.next();
    return decoded ? std::optional<Message>(decoded->message) : std::nullopt;
}

void Session::on_gap_fill(const Message &message, std::uint64_t number, Clock::time_point now) {
    const auto next = message.number(tag::NewSeqNo);
    if (next && *next > number) {
        journal_.set_next_target(*next);
        return;
    }
    journal_.received("");
    reject(message, next ? RejectReason::ValueIncorrect : RejectReason::RequiredTagMissing,
           tag::NewSeqNo, now);
}

void Session::on_resend_request(const Message &message, Clock::time_point now) {
    const auto first = message.number(tag::BeginSeqNo);
    const auto last = message.number(tag::EndSeqNo);
    if (!first || !last) {
        const int field = first ? tag::EndSeqNo : tag::BeginSeqNo;
        reject(message, RejectReason::RequiredTagMissing, field, now);
        return;
    }
    const std::uint64_t newest = journal_.next_sender() - 1;
    const std::uint64_t end = *last == 0 || *last > newest ? newest : *last;
    if (*first == 0 || *first > end) {
        reject(message, RejectReason::ValueIncorrect, tag::BeginSeqNo, now);
        return;
    }
    resend(*first, end, now);
}

/// Sends messages of the application again, and fills the gaps that messages of the session leave.
void Session::resend(std::uint64_t first, std::uint64_t last, Clock::time_point now) {
    std::uint64_t gap = first;
    for (std::uint64_t number = first; number <= last; number++) {
        const auto original = sent_message(number);
        if (!original) {
            continue;
        }
        if (gap < number) {
            fill_gap(gap, number, now);
        }
        gap = number + 1;
        Message message = header(std::string(original->type()).c_str(), number);
        message.add(tag::PossDupFlag, "Y").add(tag::SendingTime, utc_timestamp());
        message.add(tag::OrigSendingTime, original->find(tag::SendingTime).value_or(""));
        // The body follows the five fields of the header that send() writes.
        constexpr std::size_t HEADER_FIELDS = 5;
        const auto &fields = original->fields();
        for (std::size_t i = HEADER_FIELDS; i < fields.size(); i++) {
            message.add(fields[i].first, fields[i].second);
        }
        write(message, now);
    }
    if (gap <= last) {
        fill_gap(gap, last + 1, now);
    }
}

void Session::fill_gap(std::uint64_t first, std::uint64_t next, Clock::time_point now) {
    Message message = header(type::SequenceReset, first);
    const std::string time = utc_timestamp();
    message.add(tag::PossDupFlag, "Y").add(tag::SendingTime, time).add(tag::OrigSendingTime, time);
    message.add(tag::GapFillFlag, "Y").add(tag::NewSeqNo, next);
    write(message, now);
}

} // namespace fix
