// SPDX-License-Identifier: MIT
#include "rules.hpp"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "timestamp.hpp"

namespace fix {

namespace {

/// The fields that the header of a message may have, without BeginString and BodyLength. The last are those of NoHops.
const std::set<int> &header_fields() {
    static const std::set<int> fields = {34,  35,  43,  49,  50,  52,  56,  57,  90,  91,
                                         97,  115, 116, 122, 128, 129, 142, 143, 144, 145,
                                         212, 213, 347, 369, 627, 628, 629, 630};
    return fields;
}

/// Fields of the body that this plugin reads, and that are in no repeating group of the messages that it reads.
bool is_single(int field) {
    static const std::set<int> fields = {tag::Account,
                                         tag::AvgPx,
                                         tag::BeginSeqNo,
                                         tag::ClOrdID,
                                         tag::CumQty,
                                         tag::EndSeqNo,
                                         tag::ExecID,
                                         tag::LastPx,
                                         tag::LastQty,
                                         tag::NewSeqNo,
                                         tag::OrderID,
                                         tag::OrdStatus,
                                         tag::RefSeqNum,
                                         tag::Side,
                                         tag::Symbol,
                                         tag::Text,
                                         tag::HeartBtInt,
                                         tag::EncryptMethod,
                                         tag::TestReqID,
                                         tag::GapFillFlag,
                                         tag::ResetSeqNumFlag,
                                         tag::ExecType,
                                         tag::LeavesQty,
                                         tag::OrdRejReason,
                                         tag::BusinessRejectReason};
    return fields.count(field) > 0;
}

struct TypeRules {
    std::string_view type;
    std::vector<int> required;
};

const TypeRules *rules_of(std::string_view type) {
    static const std::vector<TypeRules> all = {
        {type::Heartbeat, {}},
        {type::TestRequest, {tag::TestReqID}},
        {type::ResendRequest, {tag::BeginSeqNo, tag::EndSeqNo}},
        {type::Reject, {tag::RefSeqNum}},
        {type::SequenceReset, {tag::NewSeqNo}},
        {type::Logout, {}},
        {type::Logon, {tag::EncryptMethod, tag::HeartBtInt}},
        {type::ExecutionReport,
         {tag::OrderID, tag::ExecID, tag::ExecType, tag::OrdStatus, tag::Symbol, tag::Side,
          tag::LeavesQty, tag::CumQty, tag::AvgPx}},
        {type::BusinessMessageReject, {tag::RefMsgType, tag::BusinessRejectReason}},
    };
    for (const TypeRules &rules : all) {
        if (rules.type == type) {
            return &rules;
        }
    }
    return nullptr;
}

bool is_decimal(std::string_view value) {
    if (!value.empty() && value[0] == '-') {
        value.remove_prefix(1);
    }
    return value.find_first_not_of("0123456789.") == value.npos &&
           value.find_first_of("0123456789") != value.npos &&
           std::count(value.begin(), value.end(), '.') <= 1;
}

bool is_one_of(std::string_view value, std::string_view letters) {
    return value.size() == 1 && letters.find(value[0]) != letters.npos;
}

/// Judges the value of a field that this plugin reads; others are right.
std::optional<RejectReason> judge(int field, std::string_view value) {
    const auto unless = [](bool right, RejectReason reason) {
        return right ? std::nullopt : std::optional<RejectReason>(reason);
    };
    switch (field) {
    case tag::MsgSeqNum:
    case tag::BeginSeqNo:
    case tag::EndSeqNo:
    case tag::NewSeqNo:
    case tag::RefSeqNum:
    case tag::HeartBtInt:
    case tag::EncryptMethod:
    case tag::SessionRejectReason:
    case tag::BusinessRejectReason:
    case tag::OrdRejReason:
        return unless(read_digits(value).has_value(), RejectReason::IncorrectDataFormat);
    case tag::AvgPx:
    case tag::CumQty:
    case tag::LeavesQty:
    case tag::LastPx:
    case tag::LastQty:
        return unless(is_decimal(value), RejectReason::IncorrectDataFormat);
    case tag::SendingTime:
    case tag::OrigSendingTime:
        return unless(read_timestamp(value).has_value(), RejectReason::IncorrectDataFormat);
    case tag::PossDupFlag:
    case tag::GapFillFlag:
    case tag::ResetSeqNumFlag:
        return unless(is_one_of(value, "YN"), RejectReason::IncorrectDataFormat);
    case tag::OrdStatus:
        return unless(is_one_of(value, "0123456789ABCDE"), RejectReason::ValueIncorrect);
    case tag::ExecType:
        return unless(is_one_of(value, "03456789ABCDEFGHI"), RejectReason::ValueIncorrect);
    case tag::Side:
        return unless(is_one_of(value, "123456789ABCDEFG"), RejectReason::ValueIncorrect);
    default:
        return std::nullopt;
    }
}

/// The order of the fields, fields that come twice, and their values.
std::optional<Defect> find_wrong_field(const Message &message, bool known_type) {
    bool in_body = false;
    std::set<int> seen;
    for (const auto &[field, value] : message.fields()) {
        const bool in_header = header_fields().count(field) > 0;
        if (in_header && in_body) {
            return Defect{RejectReason::TagOutOfOrder, field};
        }
        in_body = in_body || !in_header;
        const auto reason = judge(field, value);
        const bool single = known_type && (in_header ? field < 627 : is_single(field));
        if (single && !seen.insert(field).second) {
            return Defect{RejectReason::TagRepeated, field};
        }
        if (reason && (in_header || known_type)) {
            return Defect{*reason, field};
        }
    }
    return std::nullopt;
}

/// A message that was perhaps sent before has the time of the first time, which is not later than now.
std::optional<Defect> find_wrong_time(const Message &message) {
    const auto sent = message.find(tag::SendingTime);
    if (!sent) {
        return Defect{RejectReason::RequiredTagMissing, tag::SendingTime};
    }
    if (!message.is_set(tag::PossDupFlag) || message.type() == type::SequenceReset) {
        return std::nullopt;
    }
    const auto first = message.find(tag::OrigSendingTime);
    if (!first) {
        return Defect{RejectReason::RequiredTagMissing, tag::OrigSendingTime};
    }
    if (*read_timestamp(*first) > *read_timestamp(*sent)) {
        return Defect{RejectReason::SendingTimeAccuracy, tag::OrigSendingTime};
    }
    return std::nullopt;
}

} // namespace

std::optional<Defect> find_defect(const Message &message) {
    if (!is_defined_type(message.type())) {
        return Defect{RejectReason::InvalidMsgType, 0};
    }
    const TypeRules *rules = rules_of(message.type());
    if (const auto wrong = find_wrong_field(message, rules != nullptr)) {
        return wrong;
    }
    if (const auto wrong = find_wrong_time(message)) {
        return wrong;
    }
    if (rules != nullptr) {
        for (const int field : rules->required) {
            if (!message.find(field)) {
                return Defect{RejectReason::RequiredTagMissing, field};
            }
        }
    }
    return std::nullopt;
}

bool is_defined_type(std::string_view type) {
    if (type.empty()) {
        return false;
    }
    // Types that begin with U are left to users.
    if (type[0] == 'U') {
        return true;
    }
    if (type.size() == 1) {
        const std::string_view letters = "0123456789ABCDEFGHJKLMNPQRSTVWXYZ"
                                         "abcdefghijklmnopqrstuvwxyz";
        return letters.find(type[0]) != letters.npos;
    }
    return type.size() == 2 && ((type[0] == 'A' && type[1] >= 'A' && type[1] <= 'Z') ||
                                (type[0] == 'B' && type[1] >= 'A' && type[1] <= 'H'));
}

bool is_session_type(std::string_view type) {
    return is_one_of(type, "012345A");
}

} // namespace fix
