// JSON values.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_JSON_HPP
#define BACKWORKS_CPP_JSON_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "../shared/document.h"
#include "error.hpp"

// Static data of headers is one per library, also when two plugins share a process.
#if defined(__GNUC__)
#define BACKWORKS_CPP_HIDDEN __attribute__((visibility("hidden")))
#else
#define BACKWORKS_CPP_HIDDEN
#endif

namespace backworks {

namespace detail {
std::string number_text(double value);
} // namespace detail

/// A JSON value. Numbers keep their digits; objects keep the order of their members.
///
///     Json city = Json::object({{"name", "Oslo"}, {"means", Json::array({6.7, 76})}});
///     std::string name = city.get<std::string>("name");
class Json {
  public:
    using Array = std::vector<Json>;
    using Object = std::vector<std::pair<std::string, Json>>;
    enum class Type { null, boolean, number, string, array, object };

    Json() = default;
    Json(std::nullptr_t) {
    }
    Json(const char *text) : value_(std::string(text)) {
    }
    Json(std::string text) : value_(std::move(text)) {
    }
    Json(std::string_view text) : value_(std::string(text)) {
    }
    Json(Array items) : value_(std::move(items)) {
    }

    /// Of true and false, whole numbers, and other numbers, which must not be infinite.
    template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0> Json(T value) {
        if constexpr (std::is_same_v<T, bool>) {
            value_ = value;
        } else if constexpr (std::is_integral_v<T>) {
            value_ = Number{std::to_string(value)};
        } else {
            value_ = Number{detail::number_text(static_cast<double>(value))};
        }
    }

    /// null without a value.
    template <typename T> Json(const std::optional<T> &value) {
        if (value) {
            *this = Json(*value);
        }
    }

    template <typename T>
    Json(const std::vector<T> &items) : value_(Array(items.begin(), items.end())) {
    }

    template <typename T>
    Json(const std::map<std::string, T> &members) : value_(Object(members.begin(), members.end())) {
    }

    static Json array(std::initializer_list<Json> items = {}) {
        return Json(Array(items));
    }

    static Json object(Object members = {}) {
        Json json;
        json.value_ = std::move(members);
        return json;
    }

    /// A number by its digits, which are not checked.
    static Json number(std::string digits) {
        Json json;
        json.value_ = Number{std::move(digits)};
        return json;
    }

    /// Throws PluginError when the text is not JSON, or nested deeper than 512 levels.
    static Json parse(std::string_view text);

    /// The value as JSON text. Throws PluginError when a text is not UTF-8.
    std::string dump() const;

    Type type() const noexcept {
        return static_cast<Type>(value_.index());
    }

    bool is_null() const noexcept {
        return type() == Type::null;
    }

    bool is_boolean() const noexcept {
        return type() == Type::boolean;
    }

    bool is_number() const noexcept {
        return type() == Type::number;
    }

    bool is_string() const noexcept {
        return type() == Type::string;
    }

    bool is_array() const noexcept {
        return type() == Type::array;
    }

    bool is_object() const noexcept {
        return type() == Type::object;
    }

    /// The value as bool, a number, std::string, std::optional, std::vector or std::map<std::string, …> of
    /// these, or Json. Throws PluginError when it is something else, or does not fit.
    template <typename T> T as() const;

    /// The member `name` as such a type. Without the member, a std::optional is empty; anything else throws.
    template <typename T> T get(std::string_view name) const;

    /// The same, with a value for a member that is absent.
    template <typename T> T get_or(std::string_view name, T otherwise) const {
        return find(name) == nullptr ? std::move(otherwise) : get<T>(name);
    }

    /// The member, or nullptr. Of several with one name, the last.
    const Json *find(std::string_view name) const noexcept;

    /// The member; null when there is none.
    const Json &operator[](std::string_view name) const noexcept;

    /// The member, made when there is none; null becomes an object.
    Json &operator[](std::string_view name);

    /// Removes the members of this name.
    void erase(std::string_view name);

    /// The items of an array; empty when the value is something else.
    const Array &items() const noexcept;

    /// The members of an object; empty when the value is something else.
    const Object &members() const noexcept;

    /// Adds an item; null becomes an array.
    void push_back(Json item);

    /// The digits of a number; empty when the value is something else.
    std::string_view digits() const noexcept {
        const Number *number = std::get_if<Number>(&value_);
        return number == nullptr ? std::string_view() : std::string_view(number->digits);
    }

    /// The text of a string; empty when the value is something else.
    std::string_view text() const noexcept {
        const std::string *text = std::get_if<std::string>(&value_);
        return text == nullptr ? std::string_view() : std::string_view(*text);
    }

    /// Equal digit for digit and member for member.
    friend bool operator==(const Json &a, const Json &b) {
        return a.value_ == b.value_;
    }

    friend bool operator!=(const Json &a, const Json &b) {
        return !(a == b);
    }

  private:
    struct Number {
        std::string digits;

        friend bool operator==(const Number &a, const Number &b) {
            return a.digits == b.digits;
        }
    };

    // In the order of Type.
    std::variant<std::nullptr_t, bool, Number, std::string, Array, Object> value_ = nullptr;
};

namespace detail {
BACKWORKS_CPP_HIDDEN inline const Json no_json;
BACKWORKS_CPP_HIDDEN inline const Json::Array no_items;
BACKWORKS_CPP_HIDDEN inline const Json::Object no_members;
} // namespace detail

inline const Json *Json::find(std::string_view name) const noexcept {
    if (const Object *object = std::get_if<Object>(&value_)) {
        for (auto member = object->rbegin(); member != object->rend(); ++member) {
            if (member->first == name) {
                return &member->second;
            }
        }
    }
    return nullptr;
}

inline const Json &Json::operator[](std::string_view name) const noexcept {
    const Json *found = find(name);
    return found == nullptr ? detail::no_json : *found;
}

inline Json &Json::operator[](std::string_view name) {
    if (is_null()) {
        value_ = Object();
    }
    Object *object = std::get_if<Object>(&value_);
    if (object == nullptr) {
        throw PluginError("member " + std::string(name) + " of something that is no object",
                          nullptr);
    }
    if (const Json *found = find(name)) {
        return const_cast<Json &>(*found);
    }
    return object->emplace_back(std::string(name), Json()).second;
}

inline void Json::erase(std::string_view name) {
    if (Object *object = std::get_if<Object>(&value_)) {
        const auto named = [&](const auto &member) { return member.first == name; };
        object->erase(std::remove_if(object->begin(), object->end(), named), object->end());
    }
}

inline const Json::Array &Json::items() const noexcept {
    const Array *array = std::get_if<Array>(&value_);
    return array == nullptr ? detail::no_items : *array;
}

inline const Json::Object &Json::members() const noexcept {
    const Object *object = std::get_if<Object>(&value_);
    return object == nullptr ? detail::no_members : *object;
}

inline void Json::push_back(Json item) {
    if (is_null()) {
        value_ = Array();
    }
    Array *array = std::get_if<Array>(&value_);
    if (array == nullptr) {
        throw PluginError("an item of something that is no array", nullptr);
    }
    array->push_back(std::move(item));
}

} // namespace backworks

#endif
