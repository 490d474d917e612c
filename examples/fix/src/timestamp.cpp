// SPDX-License-Identifier: MIT
#include "timestamp.hpp"

#include <cstdio>
#include <ctime>

#include "fix_message.hpp"

namespace fix {

namespace {

constexpr std::string_view FORM = "dddddddd-dd:dd:dd";
constexpr std::string_view FRACTION = ".ddd";

bool has_form(std::string_view text, std::string_view form) {
    if (text.size() != form.size()) {
        return false;
    }
    for (std::size_t i = 0; i < form.size(); i++) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == 'd' ? !digit : text[i] != form[i]) {
            return false;
        }
    }
    return true;
}

} // namespace

Milliseconds utc_now() {
    return std::chrono::duration_cast<Milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
}

std::string utc_timestamp() {
    const auto milliseconds = utc_now().count();
    const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
    std::tm parts = {};
    gmtime_r(&seconds, &parts);
    char date[32];
    const std::size_t size = std::strftime(date, sizeof date, "%Y%m%d-%H:%M:%S", &parts);
    char fraction[8];
    std::snprintf(fraction, sizeof fraction, ".%03u", static_cast<unsigned>(milliseconds % 1000));
    return std::string(date, size) + fraction;
}

std::optional<Milliseconds> read_timestamp(std::string_view text) {
    const std::string_view seconds = text.substr(0, FORM.size());
    const std::string_view fraction = text.substr(seconds.size());
    if (!has_form(seconds, FORM) || (!fraction.empty() && !has_form(fraction, FRACTION))) {
        return std::nullopt;
    }
    const auto part = [&](std::size_t offset, std::size_t size) {
        return static_cast<int>(*read_digits(seconds.substr(offset, size)));
    };
    std::tm parts = {};
    parts.tm_year = part(0, 4) - 1900;
    parts.tm_mon = part(4, 2) - 1;
    parts.tm_mday = part(6, 2);
    parts.tm_hour = part(9, 2);
    parts.tm_min = part(12, 2);
    parts.tm_sec = part(15, 2);
    // A leap second is 60.
    const bool possible = parts.tm_mon >= 0 && parts.tm_mon < 12 && parts.tm_mday >= 1 &&
                          parts.tm_mday <= 31 && parts.tm_hour < 24 && parts.tm_min < 60 &&
                          parts.tm_sec <= 60;
    if (!possible) {
        return std::nullopt;
    }
    const auto whole = std::chrono::seconds(timegm(&parts));
    return whole + Milliseconds(fraction.empty() ? 0 : *read_digits(fraction.substr(1)));
}

} // namespace fix
