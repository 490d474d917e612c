/*
 * The C SDK of Backworks: write a plugin without JSON or memory by hand. C11; one file of the plugin has
 * BACKWORKS_PLUGIN(), others may include this header as well.
 *
 * SPDX-License-Identifier: MIT
 *
 *     #include <backworks_sdk.h>
 *
 *     static void greet(BackworksCall *call) {
 *         backworks_respond_text(call, 200, "hello");
 *     }
 *
 *     BACKWORKS_PLUGIN(.name = "greeter", .version = "1.0.0", .description = "Greets people.",
 *                      .process_endpoint = greet)
 *
 *     cc -shared -fPIC -I native-sdk/include -o libgreeter.so greeter.c
 *
 * backworks/c/plugin.h has the table of a plugin, read.h what a hook reads, answer.h what it answers,
 * host.h and http.h what the server offers, config.h typed configuration. The contract itself is backworks_plugin.h.
 */
#ifndef BACKWORKS_SDK_H
#define BACKWORKS_SDK_H

#ifdef __cplusplus
#error "backworks_sdk.h is for C; the header for C++ is backworks_plugin.hpp"
#endif

#include "backworks/c/run.h"

/* Exports the plugin: the members of a BackworksPlugin. Once, in one file. */
#define BACKWORKS_PLUGIN(...)                                                                      \
    static const BackworksPlugin backworks_plugin_table;                                           \
    BackworksState backworks_state = {.plugin = &backworks_plugin_table};                          \
    PluginInfo plugin_info(void) {                                                                 \
        return backworks_info();                                                                   \
    }                                                                                              \
    PluginVTable plugin_vtable(void) {                                                             \
        return backworks_vtable();                                                                 \
    }                                                                                              \
    const BackworksExtensions *backworks_extensions(void) {                                        \
        return backworks_extension_table();                                                        \
    }                                                                                              \
    static const BackworksPlugin backworks_plugin_table = {__VA_ARGS__};

#endif /* BACKWORKS_SDK_H */
