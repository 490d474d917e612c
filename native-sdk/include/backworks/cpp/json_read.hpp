// JSON values as values of C++.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_JSON_READ_HPP
#define BACKWORKS_CPP_JSON_READ_HPP

#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include "json.hpp"

namespace backworks {
namespace detail {

/// Where a value is in its document, for messages: numbers[1].
struct JsonPath {
    const JsonPath *parent;
    std::string_view name; ///< of a member
    size_t index;          ///< of an item, when there is no name

    std::string text() const {
        std::string before = parent == nullptr ? std::string() : parent->text();
        if (name.data() == nullptr) {
            return parent == nullptr ? before : before + "[" + std::to_string(index) + "]";
        }
        return before + (before.empty() ? "" : ".") + std::string(name);
    }
};

[[noreturn]] inline void fail_at(const JsonPath &path, const std::string &message) {
    const std::string place = path.text();
    throw PluginError(place.empty() ? message : place + ": " + message, nullptr);
}

[[noreturn]] inline void expected(const char *what, const Json &found, const JsonPath &path) {
    const char *const names[] = {"null",     "true or false", "a number",
                                 "a string", "an array",      "an object"};
    const auto type = static_cast<size_t>(found.type());
    fail_at(path, std::string("expected ") + what + ", found " +
                      (found.is_number() ? std::string(found.digits()) : names[type]));
}

inline double read_double(const Json &json, const JsonPath &path) {
    yyjson_val number{};
    const std::string digits(json.digits());
    if (digits.empty()) {
        expected("a number", json, path);
    }
    if (yyjson_read_number(digits.c_str(), &number, YYJSON_READ_NOFLAG, nullptr, nullptr) ==
        nullptr) {
        expected("a number in the range of double", json, path);
    }
    return yyjson_get_num(&number);
}

template <typename T> T read_whole(const Json &json, const JsonPath &path) {
    T value{};
    const std::string_view digits = json.digits();
    const char *end = digits.data() + digits.size();
    const auto [behind, error] = std::from_chars(digits.data(), end, value);
    if (!digits.empty() && error == std::errc() && behind == end) {
        return value;
    }
    if (digits.empty() || error == std::errc::result_out_of_range) {
        expected(digits.empty() ? "a whole number" : "a whole number in range", json, path);
    }
    // 3.0 and 1e3 are whole numbers as well. A double is exact up to 2^53.
    const double number = read_double(json, path);
    constexpr double exact = 9007199254740992.0;
    const bool in_range = number >= -exact && number <= exact &&
                          number >= static_cast<double>(std::numeric_limits<T>::min()) &&
                          number <= static_cast<double>(std::numeric_limits<T>::max());
    if (!in_range || number != static_cast<double>(static_cast<T>(number))) {
        expected("a whole number in range", json, path);
    }
    return static_cast<T>(number);
}

/// How a T is read. Specialize it to read a type of your own with as() and get().
template <typename T, typename = void> struct JsonReader;

template <> struct JsonReader<Json> {
    static Json read(const Json &json, const JsonPath &) {
        return json;
    }
};

template <> struct JsonReader<bool> {
    static bool read(const Json &json, const JsonPath &path) {
        if (!json.is_boolean()) {
            expected("true or false", json, path);
        }
        return json == Json(true);
    }
};

template <> struct JsonReader<std::string> {
    static std::string read(const Json &json, const JsonPath &path) {
        if (!json.is_string()) {
            expected("a string", json, path);
        }
        return std::string(json.text());
    }
};

template <typename T>
struct JsonReader<T, std::enable_if_t<std::is_arithmetic_v<T> && !std::is_same_v<T, bool>>> {
    static T read(const Json &json, const JsonPath &path) {
        if constexpr (std::is_integral_v<T>) {
            return read_whole<T>(json, path);
        } else {
            return static_cast<T>(read_double(json, path));
        }
    }
};

template <typename T> struct JsonReader<std::optional<T>> {
    static std::optional<T> read(const Json &json, const JsonPath &path) {
        if (json.is_null()) {
            return std::nullopt;
        }
        return JsonReader<T>::read(json, path);
    }
};

template <typename T> struct JsonReader<std::vector<T>> {
    static std::vector<T> read(const Json &json, const JsonPath &path) {
        if (!json.is_array()) {
            expected("an array", json, path);
        }
        std::vector<T> items;
        items.reserve(json.items().size());
        for (const Json &item : json.items()) {
            const JsonPath here{&path, {}, items.size()};
            items.push_back(JsonReader<T>::read(item, here));
        }
        return items;
    }
};

template <typename T> struct JsonReader<std::map<std::string, T>> {
    static std::map<std::string, T> read(const Json &json, const JsonPath &path) {
        if (!json.is_object()) {
            expected("an object", json, path);
        }
        std::map<std::string, T> members;
        for (const auto &[name, member] : json.members()) {
            const JsonPath here{&path, name, 0};
            members.insert_or_assign(name, JsonReader<T>::read(member, here));
        }
        return members;
    }
};

template <typename T> struct is_optional : std::false_type {};
template <typename T> struct is_optional<std::optional<T>> : std::true_type {};

/// A member of an object, which may be absent only when the type can be empty.
template <typename T>
T read_member(const Json &object, std::string_view name, const JsonPath &path) {
    const JsonPath here{&path, name, 0};
    const Json *member = object.find(name);
    if (member == nullptr && object.is_object()) {
        if constexpr (is_optional<T>::value) {
            return std::nullopt;
        }
        fail_at(here, "is missing");
    }
    if (member == nullptr) {
        expected("an object with this member", object, here);
    }
    return JsonReader<T>::read(*member, here);
}

BACKWORKS_CPP_HIDDEN inline constexpr JsonPath json_root{nullptr, {}, 0};

} // namespace detail

template <typename T> T Json::as() const {
    return detail::JsonReader<T>::read(*this, detail::json_root);
}

template <typename T> T Json::get(std::string_view name) const {
    return detail::read_member<T>(*this, name, detail::json_root);
}

} // namespace backworks

#endif
