// SPDX-License-Identifier: MIT
#include "session.hpp"

#include <algorithm>
#include <utility>

#include "rules.hpp"
#include "timestamp.hpp"

namespace fix {

namespace {

constexpr auto ANSWER_TIME = std::chrono::seconds(10);

std::string text_of(const Message &message) {
    const std::string text(message.find(tag::Text).value_or(""));
    return text.empty() ? text : ": " + text;
}

} // namespace

Session::Session(SessionSettings settings, Journal &journal, Application &application)
    : settings_(std::move(settings)), journal_(journal), application_(application) {
}

void Session::connected(Clock::time_point now) {
    closing_.reset();
    output_.clear();
    logged_out_.reset();
    test_sent_ = false;
    requested_from_ = 0;
    gap_end_ = 0;
    resend_next_ = 1;
    resend_last_ = 0;
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

/// Ends the session because of a message that names the wrong parties or time. The message uses up its number.
void Session::break_off(const Message &message, RejectReason reason, int field,
                        const std::string &why, Clock::time_point now) {
    if (state_ != State::logging_on) {
        if (message.number(tag::MsgSeqNum) == journal_.next_target()) {
            journal_.received("");
        }
        reject(message, reason, field, now);
    }
    end(why, now);
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
    if (state_ == State::logging_out) {
        if (now - logout_at_ > ANSWER_TIME) {
            closing_ = logged_out_.value_or("the peer does not answer Logout");
        }
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
    if (message.type() == type::SequenceReset && !message.is_set(tag::GapFillFlag)) {
        on_sequence_reset(message, now);
    } else if (number > journal_.next_target()) {
        on_too_high(message, number, now);
    } else if (number == journal_.next_target()) {
        in_sequence(decoded, now);
    } else {
        on_too_low(message, number, now);
    }
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
    for (const auto &[field, expected] :
         {std::pair(tag::SenderCompID, &settings_.target_comp_id),
          std::pair(tag::TargetCompID, &settings_.sender_comp_id)}) {
        if (message.find(field) != *expected) {
            break_off(message, RejectReason::CompIdProblem, field,
                      "wrong SenderCompID or TargetCompID", now);
            return false;
        }
    }
    if (!is_on_time(message)) {
        break_off(message, RejectReason::SendingTimeAccuracy, tag::SendingTime,
                  "SendingTime is too far from the clock of this side", now);
        return false;
    }
    return true;
}

bool Session::is_on_time(const Message &message) const {
    const auto sent = read_timestamp(message.find(tag::SendingTime).value_or(""));
    // What is missing or no time is rejected later, by its number.
    if (!sent || settings_.max_clock_difference == 0) {
        return true;
    }
    const std::chrono::seconds allowed(settings_.max_clock_difference);
    const auto difference = utc_now() - *sent;
    return difference <= allowed && difference >= -allowed;
}

void Session::on_logon(const Message &message, std::uint64_t number, Clock::time_point now) {
    if (message.type() == type::Logout) {
        if (number == journal_.next_target()) {
            journal_.received("");
        }
        closing_ = "the peer refuses Logon" + text_of(message);
        return;
    }
    if (message.type() != type::Logon) {
        end("the first message is not Logon", now);
        return;
    }
    if (const auto defect = find_defect(message)) {
        end("Logon is invalid: tag " + std::to_string(defect->tag), now);
        return;
    }
    if (message.is_set(tag::ResetSeqNumFlag) && !settings_.reset_seq_num) {
        end("the peer resets sequence numbers, and reset_seq_num is false", now);
        return;
    }
    if (number < journal_.next_target()) {
        on_too_low(message, number, now);
        return;
    }
    state_ = State::logged_on;
    if (number == journal_.next_target()) {
        journal_.received("");
    } else {
        gap_end_ = number;
        request_resend(now);
    }
}

/// Handles SequenceReset in reset mode, whose MsgSeqNum does not matter.
void Session::on_sequence_reset(const Message &message, Clock::time_point now) {
    const auto next = message.number(tag::NewSeqNo);
    if (!next) {
        reject(message, RejectReason::RequiredTagMissing, tag::NewSeqNo, now);
    } else if (*next < journal_.next_target()) {
        reject(message, RejectReason::ValueIncorrect, tag::NewSeqNo, now);
    } else {
        journal_.set_next_target(*next);
    }
}

void Session::on_too_low(const Message &message, std::uint64_t number, Clock::time_point now) {
    if (state_ == State::logging_on || !message.is_set(tag::PossDupFlag)) {
        end("MsgSeqNum too low, expecting " + std::to_string(journal_.next_target()) +
                " but received " + std::to_string(number),
            now);
        return;
    }
    // It has been handled before, unless it is no proper duplicate.
    const auto defect = find_defect(message);
    if (defect && defect->tag == tag::OrigSendingTime && message.type() != type::Reject) {
        reject(message, defect->reason, defect->tag, now);
    }
}

void Session::on_too_high(const Message &message, std::uint64_t number, Clock::time_point now) {
    // Both sides may have gaps: answering first keeps them from waiting for each other.
    if (message.type() == type::ResendRequest) {
        on_resend_request(message, now);
    }
    if (message.type() == type::Logout) {
        on_logout(message, now);
        return;
    }
    // One ResendRequest covers the whole gap. It is repeated when the resent messages have a gap, or do not come.
    const bool asked = gap_end_ >= journal_.next_target() && now - requested_at_ < interval();
    const bool new_gap =
        message.is_set(tag::PossDupFlag) && requested_from_ != journal_.next_target();
    gap_end_ = std::max(gap_end_, number);
    if (!asked || new_gap) {
        request_resend(now);
    }
}

void Session::request_resend(Clock::time_point now) {
    requested_from_ = journal_.next_target();
    requested_at_ = now;
    Message body;
    body.add(tag::BeginSeqNo, requested_from_).add(tag::EndSeqNo, "0");
    send_session(type::ResendRequest, body, now);
}

void Session::in_sequence(const Decoded &decoded, Clock::time_point now) {
    const Message &message = decoded.message;
    const auto defect = decoded.defect ? decoded.defect : find_defect(message);
    if (defect) {
        journal_.received("");
        // A Reject that is rejected could be rejected again, without end.
        if (message.type() != type::Reject) {
            reject(message, defect->reason, defect->tag, now);
        }
    } else if (message.type() == type::SequenceReset) {
        on_gap_fill(message, journal_.next_target(), now);
    } else if (is_session_type(message.type())) {
        on_session_message(decoded, now);
    } else {
        on_application(decoded, now);
    }
}

void Session::on_application(const Decoded &decoded, Clock::time_point now) {
    const Message &message = decoded.message;
    const std::uint64_t number = journal_.next_target();
    // The journal has the message before the application does, so that its answers survive a crash.
    const bool known =
        message.type() == type::ExecutionReport || message.type() == type::BusinessMessageReject;
    journal_.received(known ? std::string_view(decoded.bytes) : std::string_view());
    if (message.type() == type::BusinessMessageReject) {
        on_reject(message);
    } else if (!application_.on_message(message)) {
        Message body;
        body.add(tag::RefSeqNum, number).add(tag::RefMsgType, message.type());
        body.add(tag::BusinessRejectReason, "3").add(tag::Text, "unsupported message type");
        send_session(type::BusinessMessageReject, body, now);
    }
}

void Session::on_session_message(const Decoded &decoded, Clock::time_point now) {
    const Message &message = decoded.message;
    const std::string_view type = message.type();
    journal_.received(type == type::Reject ? std::string_view(decoded.bytes) : std::string_view());
    if (type == type::TestRequest) {
        const std::string_view id = *message.find(tag::TestReqID);
        send_session(type::Heartbeat, Message().add(tag::TestReqID, id), now);
    } else if (type == type::ResendRequest) {
        on_resend_request(message, now);
    } else if (type == type::Reject) {
        on_reject(message);
    } else if (type == type::Logout) {
        on_logout(message, now);
    }
}

/// The side that logs out first closes the connection: this side answers, and waits for that.
void Session::on_logout(const Message &message, Clock::time_point now) {
    logged_out_ = "the peer logged out" + text_of(message);
    if (state_ == State::logging_out) {
        closing_ = logged_out_;
        return;
    }
    send_session(type::Logout, Message(), now);
    state_ = State::logging_out;
    logout_at_ = now;
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
    const std::uint64_t end = *last == 0 ? newest : std::min(*last, newest);
    if (*first == 0 || *first > end) {
        reject(message, RejectReason::ValueIncorrect, tag::BeginSeqNo, now);
        return;
    }
    resend_next_ = *first;
    resend_last_ = end;
}

/// Sends messages of the application again, and fills the gaps that messages of the session leave.
void Session::resend(Clock::time_point now) {
    std::uint64_t gap = resend_next_;
    while (is_resending() && output_.size() < RESEND_SIZE) {
        const std::uint64_t number = resend_next_++;
        if (const auto original = sent_message(number)) {
            if (gap < number) {
                fill_gap(gap, number, now);
            }
            resend_message(*original, number, now);
            gap = resend_next_;
        }
    }
    if (gap < resend_next_) {
        fill_gap(gap, resend_next_, now);
    }
}

void Session::resend_message(const Message &original, std::uint64_t number, Clock::time_point now) {
    Message message = header(std::string(original.type()).c_str(), number);
    message.add(tag::PossDupFlag, "Y").add(tag::SendingTime, utc_timestamp());
    message.add(tag::OrigSendingTime, original.find(tag::SendingTime).value_or(""));
    // The body follows the five fields of the header that send() writes.
    constexpr std::size_t HEADER_FIELDS = 5;
    const auto &fields = original.fields();
    for (std::size_t i = HEADER_FIELDS; i < fields.size(); i++) {
        message.add(fields[i].first, fields[i].second);
    }
    write(message, now);
}

void Session::fill_gap(std::uint64_t first, std::uint64_t next, Clock::time_point now) {
    Message message = header(type::SequenceReset, first);
    const std::string time = utc_timestamp();
    message.add(tag::PossDupFlag, "Y").add(tag::SendingTime, time).add(tag::OrigSendingTime, time);
    message.add(tag::GapFillFlag, "Y").add(tag::NewSeqNo, next);
    write(message, now);
}

} // namespace fix
