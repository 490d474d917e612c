// SPDX-License-Identifier: MIT
#include "order_json.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include <backworks/cpp/json_read.hpp>
#include <backworks/cpp/json_text.hpp>

#include "timestamp.hpp"

namespace fix {

namespace {

using backworks::Json;

struct Name {
    std::string_view code;
    std::string_view name;
};

constexpr std::array<Name, 2> SIDES = {{{"1", "buy"}, {"2", "sell"}}};
constexpr std::array<Name, 2> ORD_TYPES = {{{"1", "market"}, {"2", "limit"}}};
constexpr std::array<Name, 4> TIMES_IN_FORCE = {
    {{"0", "day"}, {"1", "goodTillCancel"}, {"3", "immediateOrCancel"}, {"4", "fillOrKill"}}};
constexpr std::array<Name, 15> ORD_STATUSES = {{{"0", "new"},
                                                {"1", "partiallyFilled"},
                                                {"2", "filled"},
                                                {"3", "doneForDay"},
                                                {"4", "canceled"},
                                                {"5", "replaced"},
                                                {"6", "pendingCancel"},
                                                {"7", "stopped"},
                                                {"8", "rejected"},
                                                {"9", "suspended"},
                                                {"A", "pendingNew"},
                                                {"B", "calculated"},
                                                {"C", "expired"},
                                                {"D", "acceptedForBidding"},
                                                {"E", "pendingReplace"}}};
constexpr std::array<Name, 18> EXEC_TYPES = {{{"0", "new"},
                                              {"3", "doneForDay"},
                                              {"4", "canceled"},
                                              {"5", "replaced"},
                                              {"6", "pendingCancel"},
                                              {"7", "stopped"},
                                              {"8", "rejected"},
                                              {"9", "suspended"},
                                              {"A", "pendingNew"},
                                              {"B", "calculated"},
                                              {"C", "expired"},
                                              {"D", "restated"},
                                              {"E", "pendingReplace"},
                                              {"F", "trade"},
                                              {"G", "tradeCorrect"},
                                              {"H", "tradeCancel"},
                                              {"I", "orderStatus"},
                                              {"J", "tradeInClearing"}}};
constexpr std::array<Name, 19> SESSION_REJECT_REASONS = {
    {{"0", "Invalid tag number"},
     {"1", "Required tag missing"},
     {"2", "Tag not defined for this message type"},
     {"3", "Undefined tag"},
     {"4", "Tag specified without a value"},
     {"5", "Value is incorrect (out of range) for this tag"},
     {"6", "Incorrect data format for value"},
     {"7", "Decryption problem"},
     {"8", "Signature problem"},
     {"9", "CompID problem"},
     {"10", "SendingTime accuracy problem"},
     {"11", "Invalid MsgType"},
     {"12", "XML validation error"},
     {"13", "Tag appears more than once"},
     {"14", "Tag specified out of required order"},
     {"15", "Repeating group fields out of order"},
     {"16", "Incorrect NumInGroup count for repeating group"},
     {"17", "Non \"data\" value includes field delimiter"},
     {"99", "Other"}}};
constexpr std::array<Name, 9> BUSINESS_REJECT_REASONS = {
    {{"0", "Other"},
     {"1", "Unknown ID"},
     {"2", "Unknown Security"},
     {"3", "Unsupported Message Type"},
     {"4", "Application not available"},
     {"5", "Conditionally Required Field Missing"},
     {"6", "Not authorized"},
     {"7", "DeliverTo firm not available at this time"},
     {"18", "Invalid price increment"}}};

/// The name of a code; the code itself when it has none here.
template <std::size_t SIZE>
std::string_view name_of(const std::array<Name, SIZE> &names, std::string_view code) {
    for (const Name &name : names) {
        if (name.code == code) {
            return name.name;
        }
    }
    return code;
}

template <std::size_t SIZE>
std::string_view code_of(const std::array<Name, SIZE> &names, const Json &order,
                         const char *member) {
    std::string choices;
    for (const Name &name : names) {
        if (name.name == order[member].text()) {
            return name.code;
        }
        choices += (choices.empty() ? "" : ", ") + std::string(name.name);
    }
    throw BadOrder(std::string(member) + " is one of " + choices);
}

/// Text of 1 to 64 visible ASCII characters: SOH and line breaks would make other fields of it.
std::string_view text_of(const Json &order, const char *member) {
    const std::string_view text = order[member].text();
    bool visible = !text.empty() && text.size() <= 64;
    for (const char letter : text) {
        visible = visible && letter > ' ' && letter <= '~';
    }
    if (!visible) {
        throw BadOrder(std::string(member) + " is a text of 1 to 64 visible ASCII characters");
    }
    return text;
}

/// A positive decimal with the digits of the request: FIX has no exponents.
std::string_view decimal_of(const Json &order, const char *member) {
    const std::string_view digits = order[member].digits();
    bool decimal = !digits.empty() && digits.size() <= 20;
    bool positive = false;
    for (const char digit : digits) {
        decimal = decimal && ((digit >= '0' && digit <= '9') || digit == '.');
        positive = positive || (digit > '0' && digit <= '9');
    }
    if (!decimal || !positive) {
        throw BadOrder(std::string(member) +
                       " is a number above 0, without an exponent, of at most 20 characters");
    }
    return digits;
}

/// FIX allows zeros in front and a point at the end, JSON does not. What is no decimal stays text.
Json number_json(std::string_view value) {
    const bool negative = value.substr(0, 1) == "-";
    std::string_view rest = value.substr(negative ? 1 : 0);
    while (rest.size() > 1 && rest[0] == '0' && rest[1] != '.') {
        rest.remove_prefix(1);
    }
    const std::size_t point = rest.find('.');
    const std::string_view whole = rest.substr(0, point);
    const std::string_view fraction =
        point == rest.npos ? std::string_view() : rest.substr(point + 1);
    const auto digits = [](std::string_view text) {
        return text.find_first_not_of("0123456789") == text.npos;
    };
    if (!digits(whole) || !digits(fraction) || (whole.empty() && fraction.empty())) {
        return Json(value);
    }
    return Json::number((negative ? "-" : "") + std::string(whole.empty() ? "0" : whole) +
                        (fraction.empty() ? "" : "." + std::string(fraction)));
}

/// Text for JSON: bytes that are not ASCII become '?', because FIX does not say which character set they have.
Json text_json(std::string_view value) {
    std::string text(value);
    for (char &letter : text) {
        if (static_cast<unsigned char>(letter) > 126) {
            letter = '?';
        }
    }
    return Json(std::move(text));
}

void put_text(Json &json, const char *member, const Message &message, int field) {
    if (const auto value = message.find(field)) {
        json[member] = text_json(*value);
    }
}

void put_number(Json &json, const char *member, const Message &message, int field) {
    if (const auto value = message.find(field)) {
        json[member] = number_json(text_json(*value).text());
    }
}

template <std::size_t SIZE>
void put_name(Json &json, const char *member, const Message &message, int field,
              const std::array<Name, SIZE> &names) {
    if (const auto value = message.find(field)) {
        json[member] = text_json(name_of(names, *value));
    }
}

} // namespace

Message new_order_single(const Json &order) {
    if (!order.is_object()) {
        throw BadOrder("the body is a JSON object");
    }
    constexpr std::array<std::string_view, 8> MEMBERS = {
        "clOrdId", "account", "symbol", "side", "orderQty", "ordType", "price", "timeInForce"};
    for (const auto &[member, value] : order.members()) {
        bool known = false;
        for (const std::string_view name : MEMBERS) {
            known = known || name == member;
        }
        if (!known) {
            throw BadOrder("unknown member " + member);
        }
    }
    Message message(type::NewOrderSingle);
    message.add(tag::ClOrdID, text_of(order, "clOrdId"));
    if (order.find("account") != nullptr) {
        message.add(tag::Account, text_of(order, "account"));
    }
    message.add(tag::Symbol, text_of(order, "symbol"));
    message.add(tag::Side, code_of(SIDES, order, "side"));
    message.add(tag::TransactTime, utc_timestamp());
    message.add(tag::OrderQty, decimal_of(order, "orderQty"));
    const std::string_view ord_type = code_of(ORD_TYPES, order, "ordType");
    message.add(tag::OrdType, ord_type);
    if (ord_type == "2") {
        message.add(tag::Price, decimal_of(order, "price"));
    } else if (order.find("price") != nullptr) {
        throw BadOrder("a market order has no price");
    }
    if (order.find("timeInForce") != nullptr) {
        message.add(tag::TimeInForce, code_of(TIMES_IN_FORCE, order, "timeInForce"));
    }
    return message;
}

Json order_json(const Message &new_order) {
    Json json = Json::object();
    put_text(json, "clOrdId", new_order, tag::ClOrdID);
    put_text(json, "account", new_order, tag::Account);
    put_text(json, "symbol", new_order, tag::Symbol);
    put_name(json, "side", new_order, tag::Side, SIDES);
    put_number(json, "orderQty", new_order, tag::OrderQty);
    put_name(json, "ordType", new_order, tag::OrdType, ORD_TYPES);
    put_number(json, "price", new_order, tag::Price);
    put_name(json, "timeInForce", new_order, tag::TimeInForce, TIMES_IN_FORCE);
    return json;
}

Json report_json(const Message &report) {
    Json json = Json::object();
    put_text(json, "clOrdId", report, tag::ClOrdID);
    put_text(json, "orderId", report, tag::OrderID);
    put_text(json, "execId", report, tag::ExecID);
    put_name(json, "execType", report, tag::ExecType, EXEC_TYPES);
    put_name(json, "ordStatus", report, tag::OrdStatus, ORD_STATUSES);
    put_text(json, "symbol", report, tag::Symbol);
    put_name(json, "side", report, tag::Side, SIDES);
    put_number(json, "leavesQty", report, tag::LeavesQty);
    put_number(json, "cumQty", report, tag::CumQty);
    put_number(json, "avgPx", report, tag::AvgPx);
    put_number(json, "lastQty", report, tag::LastQty);
    put_number(json, "lastPx", report, tag::LastPx);
    put_number(json, "ordRejReason", report, tag::OrdRejReason);
    put_text(json, "text", report, tag::Text);
    return json;
}

std::string reject_text(const Message &reject) {
    const bool session = reject.type() == type::Reject;
    const int field = session ? tag::SessionRejectReason : tag::BusinessRejectReason;
    const std::string_view code = reject.find(field).value_or("99");
    const std::string_view name =
        session ? name_of(SESSION_REJECT_REASONS, code) : name_of(BUSINESS_REJECT_REASONS, code);
    std::string text = session ? "Reject: " : "BusinessMessageReject: ";
    text += std::string(name) + " (" + std::string(code) + ")";
    if (const auto tag = reject.find(tag::RefTagID)) {
        text += ", tag " + std::string(*tag);
    }
    if (const auto why = reject.find(tag::Text)) {
        text += ": " + std::string(*why);
    }
    return std::string(text_json(text).text());
}

} // namespace fix
