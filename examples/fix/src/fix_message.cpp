// The format "tag=value" of FIX. No input or output happens here.
//
// SPDX-License-Identifier: MIT
#include "fix_message.hpp"

#include <cstdio>

namespace fix {

namespace {

/// The tag of the data field whose length a field says, or 0. Data fields may contain SOH.
int data_field_of(int length_field) {
    switch (length_field) {
    case 90:
        return 91;
    case 93:
        return 89;
    case 95:
    case 212:
    case 348:
    case 350:
    case 352:
    case 354:
    case 356:
    case 358:
    case 360:
    case 362:
    case 364:
    case 445:
    case 618:
    case 621:
        return length_field + 1;
    default:
        return 0;
    }
}

} // namespace

std::optional<std::string_view> Message::find(int field) const {
    for (const auto &[tag, value] : fields_) {
        if (tag == field) {
            return value;
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> Message::number(int field) const {
    const auto value = find(field);
    return value ? read_digits(*value) : std::nullopt;
}

std::string Message::encode() const {
    std::string body;
    for (const auto &[tag, value] : fields_) {
        body += std::to_string(tag) + '=' + value + SOH;
    }
    std::string bytes =
        std::string("8=") + BEGIN_STRING + SOH + "9=" + std::to_string(body.size()) + SOH + body;
    char trailer[8];
    std::snprintf(trailer, sizeof trailer, "10=%03u", checksum(bytes));
    return bytes + trailer + SOH;
}

Message read_fields(std::string_view body, std::optional<Defect> &defect) {
    Message message;
    int data_field = 0;
    std::uint64_t data_size = 0;
    while (!body.empty()) {
        const std::size_t equals = body.find('=');
        const std::size_t soh = body.find(SOH);
        const std::string_view name = body.substr(0, equals);
        const auto number = read_digits(name);
        if (equals == body.npos || soh < equals || !number || *number == 0 || *number > 999999 ||
            name[0] == '0') {
            defect = Defect{RejectReason::InvalidTagNumber, 0};
            return message;
        }
        const int field = static_cast<int>(*number);
        body.remove_prefix(equals + 1);
        std::size_t size = body.find(SOH);
        if (field == data_field) {
            // The value has the length that the field before it says.
            if (data_size >= body.size() || body[data_size] != SOH) {
                defect = Defect{RejectReason::IncorrectDataFormat, field};
                return message;
            }
            size = data_size;
        }
        if (size == body.npos) {
            defect = Defect{RejectReason::IncorrectDataFormat, field};
            return message;
        }
        if (size == 0) {
            defect = Defect{RejectReason::TagWithoutValue, field};
            return message;
        }
        const std::string_view value = body.substr(0, size);
        message.add(field, value);
        body.remove_prefix(size + 1);
        const auto length = read_digits(value);
        data_field = length ? data_field_of(field) : 0;
        data_size = length.value_or(0);
    }
    return message;
}

unsigned checksum(std::string_view bytes) {
    unsigned sum = 0;
    for (const char byte : bytes) {
        sum += static_cast<unsigned char>(byte);
    }
    return sum % 256;
}

std::optional<std::uint64_t> read_digits(std::string_view text) {
    if (text.empty() || text.size() > 18) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9') {
            return std::nullopt;
        }
        value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return value;
}

} // namespace fix
