// UTCTimestamp of FIX: "YYYYMMDD-HH:MM:SS", with or without milliseconds.
//
// SPDX-License-Identifier: MIT
#ifndef TIMESTAMP_HPP
#define TIMESTAMP_HPP

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace fix {

using Milliseconds = std::chrono::milliseconds;

/// The time in UTC, with milliseconds.
std::string utc_timestamp();

/// The time since 1970 of the clock that utc_timestamp() reads.
Milliseconds utc_now();

/// The time since 1970 that a UTCTimestamp has; nothing when it is none.
std::optional<Milliseconds> read_timestamp(std::string_view text);

} // namespace fix

#endif
