// No exception leaves a function that the server calls.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_BARRIER_HPP
#define BACKWORKS_CPP_BARRIER_HPP

#include <cstdlib>
#include <exception>
#include <string>
#include <typeinfo>

#if defined(__GNUC__)
#include <cxxabi.h>
#endif

#include "error.hpp"

namespace backworks {
namespace detail {

/// The name of a type as it is written in C++, where the compiler can tell.
inline std::string type_name(const std::type_info *type) {
    if (type == nullptr) {
        return "unknown type";
    }
#if defined(__GNUC__)
    int status = 0;
    char *written = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
    if (written != nullptr) {
        const std::string name(written);
        std::free(written);
        return name;
    }
#endif
    return type->name();
}

inline std::string describe(const std::exception_ptr &thrown);

/// The causes of std::throw_with_nested() follow their message.
inline std::string cause_of(const std::exception &error) {
    const auto *nested = dynamic_cast<const std::nested_exception *>(&error);
    return nested == nullptr || nested->nested_ptr() == nullptr
               ? std::string()
               : ": " + describe(nested->nested_ptr());
}

inline std::string describe(const std::exception_ptr &thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const PluginError &error) {
        return error.what() + cause_of(error);
    } catch (const std::exception &error) {
        return type_name(&typeid(error)) + ": " + error.what() + cause_of(error);
    } catch (const std::string &text) {
        return text;
    } catch (const char *text) {
        return text == nullptr ? "a null pointer was thrown" : text;
    } catch (...) {
#if defined(__GNUC__)
        return "threw " + type_name(abi::__cxa_current_exception_type());
#else
        return "threw something that is no std::exception";
#endif
    }
}

/// Runs code of the plugin. False when it threw; `why` then says what, in one sentence.
template <typename Work> bool guarded(std::string &why, const Work &work) noexcept {
    try {
        work();
        return true;
    } catch (...) {
        try {
            why = describe(std::current_exception());
        } catch (...) {
            why = "out of memory"; // short enough to need none
        }
        return false;
    }
}

} // namespace detail
} // namespace backworks

#endif
