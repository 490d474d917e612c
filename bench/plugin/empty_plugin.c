/* SPDX-License-Identifier: MIT */
/* A plugin without hooks, which shows what a runner itself costs. */
#include "backworks_plugin.h"

PluginInfo plugin_info(void) {
    return (PluginInfo){"empty", "1.0.0", "Does nothing."};
}

PluginVTable plugin_vtable(void) {
    return (PluginVTable){0};
}
