// One FIX message: fields in order, and its bytes.
//
// SPDX-License-Identifier: MIT
#ifndef FIX_MESSAGE_HPP
#define FIX_MESSAGE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fix_tags.hpp"

namespace fix {

/// Why a message that is not garbled breaks the rules of the format.
struct Defect {
    RejectReason reason;
    int tag;
};

/// The fields of a message from MsgType on, without BeginString, BodyLength and CheckSum.
class Message {
  public:
    Message() = default;

    explicit Message(std::string_view type) {
        add(tag::MsgType, type);
    }

    /// Adds a field. The value must not contain SOH.
    Message &add(int field, std::string_view value) {
        fields_.emplace_back(field, value);
        return *this;
    }

    Message &add(int field, std::uint64_t value) {
        return add(field, std::to_string(value));
    }

    /// The first field of this tag.
    std::optional<std::string_view> find(int field) const;

    /// The value as a whole number; nothing when the field is missing, not made of digits or too large.
    std::optional<std::uint64_t> number(int field) const;

    /// Whether a flag such as PossDupFlag is Y.
    bool is_set(int field) const {
        return find(field) == "Y";
    }

    std::string_view type() const {
        return find(tag::MsgType).value_or("");
    }

    const std::vector<std::pair<int, std::string>> &fields() const {
        return fields_;
    }

    /// The bytes of the message, with BeginString, BodyLength and CheckSum.
    std::string encode() const;

  private:
    std::vector<std::pair<int, std::string>> fields_;
};

/// Reads "tag=value" fields. `body` begins with MsgType and ends with SOH. Fields after a defect are missing.
Message read_fields(std::string_view body, std::optional<Defect> &defect);

/// Sum of all bytes modulo 256.
unsigned checksum(std::string_view bytes);

/// Digits only, at most 18 of them.
std::optional<std::uint64_t> read_digits(std::string_view text);

} // namespace fix

#endif
