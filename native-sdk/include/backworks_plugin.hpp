// The C++ SDK of Backworks, for C++17 and later: a plugin is a class. One file of the plugin has
// BACKWORKS_EXPORT_PLUGIN(), others may include this header as well.
//
//     #include <backworks_plugin.hpp>
//     using namespace backworks;
//
//     class Greeter : public Plugin {
//     public:
//         static Manifest manifest() {
//             return Manifest("greeter", "1.0.0", "Greets people.");
//         }
//
//         std::optional<Reply> process_endpoint(const Request &) override {
//             return Reply::text("hello");
//         }
//     };
//
//     BACKWORKS_EXPORT_PLUGIN(Greeter)
//
//     c++ -std=c++17 -shared -fPIC -I native-sdk/include -o libgreeter.so greeter.cpp
//
// backworks/cpp/plugin.hpp has the class, request.hpp what a hook reads, answer.hpp what it answers, json.hpp
// JSON values, host.hpp and http.hpp what the server offers, config.hpp typed configuration, error.hpp the exception. The
// contract itself is backworks_plugin.h.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_PLUGIN_HPP
#define BACKWORKS_PLUGIN_HPP

#if !defined(__cplusplus) ||                                                                       \
    (__cplusplus < 201703L && (!defined(_MSVC_LANG) || _MSVC_LANG < 201703L))
#error "backworks_plugin.hpp needs C++17"
#endif
#if defined(__GNUC__) && !defined(__EXCEPTIONS)
#error "backworks_plugin.hpp needs exceptions; for plugins without them there is backworks_plugin.h"
#endif

#include "backworks/cpp/export.hpp"

/// Exports a plugin type. Once in a library.
#define BACKWORKS_EXPORT_PLUGIN(Type)                                                              \
    extern "C" BACKWORKS_EXPORT PluginInfo plugin_info() {                                         \
        return ::backworks::detail::Exported<Type>::info();                                        \
    }                                                                                              \
    extern "C" BACKWORKS_EXPORT PluginVTable plugin_vtable() {                                     \
        return ::backworks::detail::Exported<Type>::vtable();                                      \
    }                                                                                              \
    extern "C" BACKWORKS_EXPORT const BackworksExtensions *backworks_extensions() {                \
        static BackworksExtensions table = {};                                                     \
        ::backworks::detail::Exported<Type>::fill(table);                                          \
        return &table;                                                                             \
    }

#endif
