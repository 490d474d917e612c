// What the standard demands of a message that is not garbled, as far as this plugin reads it. No input or output happens here.
//
// SPDX-License-Identifier: MIT
#ifndef RULES_HPP
#define RULES_HPP

#include <optional>
#include <string_view>

#include "fix_message.hpp"

namespace fix {

/// The first rule that a message breaks: order and number of its fields, required fields, formats and values. Nothing when
/// the message is right. Messages that this plugin does not read are checked for their header only.
std::optional<Defect> find_defect(const Message &message);

/// Whether FIX 4.4 has this MsgType, or leaves it to users.
bool is_defined_type(std::string_view type);

/// Whether the type is one of the session layer.
bool is_session_type(std::string_view type);

} // namespace fix

#endif
