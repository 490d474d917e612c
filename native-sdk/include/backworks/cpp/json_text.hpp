// JSON values from text, and as text.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_JSON_TEXT_HPP
#define BACKWORKS_CPP_JSON_TEXT_HPP

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "../shared/arena.h"
#include "json.hpp"

namespace backworks {
namespace detail {

/// Memory that yyjson takes piece by piece, and that is freed all at once.
class Arena {
  public:
    Arena() {
        backworks_arena_begin(&arena_);
        memory_.malloc = take;
        memory_.realloc = resize;
        memory_.free = give_back;
        memory_.ctx = &arena_;
    }

    ~Arena() {
        backworks_arena_end(&arena_);
    }

    Arena(const Arena &) = delete;
    Arena &operator=(const Arena &) = delete;

    const yyjson_alc *memory() const noexcept {
        return &memory_;
    }

  private:
    static void *take(void *arena, size_t size) {
        return backworks_arena_take(static_cast<BackworksArena *>(arena), size);
    }

    static void *resize(void *arena, void *piece, size_t old_size, size_t size) {
        return backworks_arena_resize(static_cast<BackworksArena *>(arena), piece, old_size, size);
    }

    static void give_back(void *, void *) {
    }

    BackworksArena arena_;
    yyjson_alc memory_;
};

/// Recursion is bounded by the depth that yyjson reads.
inline Json json_of(yyjson_val *value) {
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_BOOL:
        return Json(yyjson_get_bool(value));
    case YYJSON_TYPE_RAW:
        return Json::number(std::string(yyjson_get_raw(value), yyjson_get_len(value)));
    case YYJSON_TYPE_STR:
        return Json(std::string(yyjson_get_str(value), yyjson_get_len(value)));
    case YYJSON_TYPE_ARR: {
        Json::Array items;
        items.reserve(yyjson_arr_size(value));
        size_t index, count;
        yyjson_val *item;
        yyjson_arr_foreach(value, index, count, item) {
            items.push_back(json_of(item));
        }
        return Json(std::move(items));
    }
    case YYJSON_TYPE_OBJ: {
        Json::Object members;
        members.reserve(yyjson_obj_size(value));
        size_t index, count;
        yyjson_val *name, *member;
        yyjson_obj_foreach(value, index, count, name, member) {
            members.emplace_back(std::string(yyjson_get_str(name), yyjson_get_len(name)),
                                 json_of(member));
        }
        return Json::object(std::move(members));
    }
    default:
        return Json();
    }
}

/// Makes yyjson's values of ours, which must live as long: texts are not copied.
inline yyjson_mut_val *value_of(yyjson_mut_doc *document, const Json &json) {
    switch (json.type()) {
    case Json::Type::boolean:
        return yyjson_mut_bool(document, json == Json(true));
    case Json::Type::number:
        return yyjson_mut_rawn(document, json.digits().data(), json.digits().size());
    case Json::Type::string:
        return yyjson_mut_strn(document, json.text().data(), json.text().size());
    case Json::Type::array: {
        yyjson_mut_val *array = yyjson_mut_arr(document);
        for (const Json &item : json.items()) {
            yyjson_mut_arr_append(array, value_of(document, item));
        }
        return array;
    }
    case Json::Type::object: {
        yyjson_mut_val *object = yyjson_mut_obj(document);
        for (const auto &[name, member] : json.members()) {
            yyjson_mut_obj_add(object, yyjson_mut_strn(document, name.data(), name.size()),
                               value_of(document, member));
        }
        return object;
    }
    case Json::Type::null:
        break;
    }
    return yyjson_mut_null(document);
}

struct Free {
    void operator()(char *text) const noexcept {
        std::free(text);
    }
};

/// A text of malloc().
using CText = std::unique_ptr<char, Free>;

inline CText write(const yyjson_mut_val *value, size_t *size = nullptr) {
    yyjson_write_err error{};
    CText text(yyjson_mut_val_write_opts(value, YYJSON_WRITE_NOFLAG, nullptr, size, &error));
    if (text == nullptr) {
        throw PluginError(std::string("JSON cannot be written: ") +
                              (error.msg == nullptr ? "out of memory" : error.msg),
                          nullptr);
    }
    return text;
}

inline std::string number_text(double value) {
    yyjson_val number{};
    char text[40];
    yyjson_set_real(&number, value);
    if (yyjson_write_number(&number, text) == nullptr) {
        throw PluginError("infinity and NaN are no JSON numbers", nullptr);
    }
    return text;
}

inline Json parse_json(std::string_view text, const std::string &what) {
    Arena arena;
    yyjson_read_err error{};
    yyjson_doc *document = yyjson_read_opts(const_cast<char *>(text.data()), text.size(),
                                            YYJSON_READ_NUMBER_AS_RAW, arena.memory(), &error);
    if (document == nullptr) {
        throw PluginError(what + ": " + error.msg + " at byte " + std::to_string(error.pos),
                          nullptr);
    }
    return json_of(yyjson_doc_get_root(document));
}

} // namespace detail

inline Json Json::parse(std::string_view text) {
    return detail::parse_json(text, "no JSON");
}

inline std::string Json::dump() const {
    detail::Arena arena;
    size_t size = 0;
    yyjson_mut_doc *document = yyjson_mut_doc_new(arena.memory());
    detail::CText text = detail::write(detail::value_of(document, *this), &size);
    return std::string(text.get(), size);
}

} // namespace backworks

#endif
