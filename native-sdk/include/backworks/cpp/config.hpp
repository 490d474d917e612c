// Typed configuration: the fields of a struct, declared once. The SDK reads the plugin's `config:` block into
// the struct, and makes the JSON Schema that the server checks the block with before it starts the plugin.
//
//     struct Config {
//         std::string city;
//         int retries = 3;
//
//         void fields(backworks::Fields &field) {
//             field("city", city, "Where to look.").required();
//             field("retries", retries).range(0, 10);
//         }
//     };
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_CONFIG_HPP
#define BACKWORKS_CPP_CONFIG_HPP

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "json_read.hpp"

namespace backworks {

class Fields;

namespace detail {

template <typename T, typename = void> struct has_fields : std::false_type {};
template <typename T>
struct has_fields<T, std::void_t<decltype(std::declval<T &>().fields(std::declval<Fields &>()))>>
    : std::true_type {};

template <typename T> struct is_list : std::false_type {};
template <typename T> struct is_list<std::vector<T>> : std::true_type {};
template <typename T> struct is_map : std::false_type {};
template <typename T> struct is_map<std::map<std::string, T>> : std::true_type {};

/// Whether a Json can be made of a T, for its default.
template <typename T> constexpr bool is_plain() {
    if constexpr (is_optional<T>::value || is_list<T>::value) {
        return is_plain<typename T::value_type>();
    } else if constexpr (is_map<T>::value) {
        return is_plain<typename T::mapped_type>();
    } else {
        return !has_fields<T>::value;
    }
}

template <typename T> Json schema_of();

} // namespace detail

/// Reads the fields of a struct, or makes their schema. Text, bool, numbers, std::optional, std::vector,
/// std::map<std::string, …>, Json and structs with fields() can be fields. What a member holds before is its
/// default.
class Fields {
  public:
    /// What else is true of a field.
    class Field {
      public:
        /// The configuration must have it.
        Field &required() {
            if (fields_.config_ == nullptr) {
                fields_.schema_["required"].push_back(name_);
                fields_.schema_["properties"][name_].erase("default");
            } else if (found_ == nullptr) {
                detail::fail_at(path_, "is missing");
            }
            return *this;
        }

        /// The number is at least `minimum` and at most `maximum`.
        template <typename T> Field &range(T minimum, T maximum) {
            if (fields_.config_ == nullptr) {
                (*this)["minimum"] = minimum;
                (*this)["maximum"] = maximum;
            } else if (found_ != nullptr) {
                const double value = detail::read_double(*found_, path_);
                if (!(value >= static_cast<double>(minimum) &&
                      value <= static_cast<double>(maximum))) {
                    const std::string limits =
                        "a number from " + Json(minimum).dump() + " to " + Json(maximum).dump();
                    detail::expected(limits.c_str(), *found_, path_);
                }
            }
            return *this;
        }

      private:
        friend class Fields;

        Field(Fields &fields, const char *name, const Json *found)
            : fields_(fields), name_(name), found_(found), path_{fields.path_, name_, 0} {
        }

        Json &operator[](const char *keyword) {
            return fields_.schema_["properties"][name_][keyword];
        }

        Fields &fields_;
        const char *name_;
        const Json *found_;
        detail::JsonPath path_;
    };

    /// A field of the configuration and the member that holds it.
    template <typename T>
    Field operator()(const char *name, T &member, const char *description = nullptr) {
        Field field = known(name, description);
        if (config_ != nullptr) {
            if (field.found_ != nullptr) {
                read(*field.found_, member, field.path_);
            }
            return field;
        }
        Json schema = detail::schema_of<T>();
        for (const auto &[keyword, value] : schema.members()) {
            field[keyword.c_str()] = value;
        }
        if constexpr (detail::is_plain<T>()) {
            if (const Json initial(member); !initial.is_null()) {
                field["default"] = initial;
            }
        }
        return field;
    }

    /// A field whose texts stand for values, such as those of an enum.
    template <typename T>
    Field choice(const char *name, T &member,
                 std::initializer_list<std::pair<const char *, T>> choices,
                 const char *description = nullptr) {
        Field field = known(name, description);
        bool matches = config_ == nullptr || field.found_ == nullptr;
        for (const auto &[text, value] : choices) {
            if (config_ == nullptr) {
                field["enum"].push_back(text);
                if (value == member) {
                    field["default"] = text;
                }
            } else if (field.found_ != nullptr && field.found_->text() == text) {
                member = value;
                matches = true;
            }
        }
        if (!matches) {
            detail::expected("one of its choices", *field.found_, field.path_);
        }
        return field;
    }

    /// Reads `config` into a struct. Throws PluginError, which names the field, when it does not fit.
    template <typename T>
    static void read(const Json &config, T &into, const detail::JsonPath &path) {
        if constexpr (detail::has_fields<T>::value) {
            if (!config.is_object()) {
                detail::expected("an object", config, path);
            }
            Fields fields(&config, &path);
            into.fields(fields);
            fields.refuse_unknown();
        } else {
            into = detail::JsonReader<T>::read(config, path);
        }
    }

    /// The JSON Schema (draft-07) of a struct.
    template <typename T> static Json schema() {
        Fields fields(nullptr, nullptr);
        T defaults{};
        defaults.fields(fields);
        return fields.schema_;
    }

  private:
    Fields(const Json *config, const detail::JsonPath *path)
        : config_(config), path_(path), schema_(Json::object({{"type", "object"},
                                                              {"additionalProperties", false},
                                                              {"properties", Json::object()}})) {
    }

    Field known(const char *name, const char *description) {
        names_.push_back(name);
        Field field(*this, name, config_ == nullptr ? nullptr : config_->find(name));
        if (config_ == nullptr) {
            schema_["properties"][name] = Json::object();
            if (description != nullptr) {
                field["description"] = description;
            }
        }
        return field;
    }

    void refuse_unknown() const {
        for (const auto &[key, value] : config_->members()) {
            bool known = false;
            for (const std::string &name : names_) {
                known = known || name == key;
            }
            if (!known) {
                const detail::JsonPath here{path_, key, 0};
                detail::fail_at(here, "unknown key");
            }
        }
    }

    const Json *config_; // nullptr: makes the schema
    const detail::JsonPath *path_;
    Json schema_;
    std::vector<std::string> names_;
};

namespace detail {

/// A struct with fields() is read by them, also in lists, maps and other structs.
template <typename T> struct JsonReader<T, std::enable_if_t<has_fields<T>::value>> {
    static T read(const Json &json, const JsonPath &path) {
        T value{};
        Fields::read(json, value, path);
        return value;
    }
};

template <typename T> Json schema_of() {
    if constexpr (has_fields<T>::value) {
        return Fields::schema<T>();
    } else if constexpr (is_optional<T>::value) {
        return schema_of<typename T::value_type>();
    } else if constexpr (is_list<T>::value) {
        return Json::object({{"type", "array"}, {"items", schema_of<typename T::value_type>()}});
    } else if constexpr (is_map<T>::value) {
        return Json::object(
            {{"type", "object"}, {"additionalProperties", schema_of<typename T::mapped_type>()}});
    } else if constexpr (std::is_same_v<T, bool>) {
        return Json::object({{"type", "boolean"}});
    } else if constexpr (std::is_integral_v<T>) {
        Json schema = Json::object({{"type", "integer"}});
        if constexpr (std::is_unsigned_v<T>) {
            schema["minimum"] = 0;
        }
        return schema;
    } else if constexpr (std::is_floating_point_v<T>) {
        return Json::object({{"type", "number"}});
    } else if constexpr (std::is_same_v<T, std::string>) {
        return Json::object({{"type", "string"}});
    } else {
        static_assert(std::is_same_v<T, Json>, "a field of a type that the SDK does not read");
        return Json::object();
    }
}

} // namespace detail

/// Reads the `config:` block that initialize() and reconfigure() are given.
template <typename T> T read_config(const Json &config) {
    const detail::JsonPath path{&detail::json_root, "config", 0};
    T values{};
    Fields::read(config, values, path);
    return values;
}

} // namespace backworks

#endif
