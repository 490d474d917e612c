// Orders and reports as JSON, and as FIX messages.
//
// SPDX-License-Identifier: MIT
#ifndef ORDER_JSON_HPP
#define ORDER_JSON_HPP

#include <stdexcept>
#include <string>

#include <backworks/cpp/json.hpp>

#include "fix_message.hpp"

namespace fix {

/// The request is wrong. The text is for the client.
class BadOrder : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Makes NewOrderSingle of the JSON of a request. Throws BadOrder.
Message new_order_single(const backworks::Json &order);

/// The order that a NewOrderSingle has, as JSON.
backworks::Json order_json(const Message &new_order);

/// The report that an ExecutionReport has, as JSON. Fields that it lacks are missing.
backworks::Json report_json(const Message &report);

/// Code and name of the reason in a Reject or BusinessMessageReject, such as "Value is incorrect (5)", and its text.
std::string reject_text(const Message &reject);

} // namespace fix

#endif
