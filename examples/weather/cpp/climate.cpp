// SPDX-License-Identifier: MIT
#include "climate.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace {

constexpr std::array<Climate, 10> KNOWN{{
    {"Berlin", 103, 74, "light cloud"},
    {"Cairo", 224, 56, "clear sky"},
    {"Lisbon", 177, 71, "sunny intervals"},
    {"London", 118, 78, "light rain"},
    {"Mumbai", 272, 75, "humid and hazy"},
    {"Nairobi", 188, 69, "sunny intervals"},
    {"Oslo", 67, 76, "overcast"},
    {"Reykjavik", 51, 79, "strong wind"},
    {"Sydney", 182, 65, "clear sky"},
    {"Tokyo", 158, 68, "light cloud"},
}};

constexpr std::array<std::string_view, 6> CONDITIONS{
    "clear sky", "sunny intervals", "light cloud", "overcast", "light rain", "strong wind",
};

char lower(char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

bool same_city(std::string_view one, std::string_view other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

/// FNV-1a, 32 bits.
std::uint32_t hash_of(std::string_view city) {
    std::uint32_t hash = 2166136261U;
    for (const char byte : city) {
        hash = (hash ^ static_cast<unsigned char>(lower(byte))) * 16777619U;
    }
    return hash;
}

} // namespace

Climate climate_of(std::string_view city) {
    const auto known = std::find_if(KNOWN.begin(), KNOWN.end(), [city](const Climate &entry) {
        return same_city(entry.city, city);
    });
    if (known != KNOWN.end()) {
        return *known;
    }
    const std::uint32_t hash = hash_of(city);
    return {
        "",
        static_cast<int>(hash % 401) - 100,     // -10.0 to 30.0 degrees
        static_cast<int>(hash / 401 % 61) + 35, // 35 to 95 %
        CONDITIONS[hash / 401 / 61 % CONDITIONS.size()],
    };
}

int tenths_fahrenheit(int tenths_celsius) {
    const int scaled = tenths_celsius * 9;
    return (scaled + (scaled < 0 ? -2 : 2)) / 5 + 320;
}
