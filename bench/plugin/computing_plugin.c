/* SPDX-License-Identifier: MIT */
/* A plugin that computes for the number of milliseconds in the data of its endpoint, and answers "true". */
#include <stdlib.h>
#include <time.h>

#include "backworks_plugin.h"

static double now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static const char *process_endpoint(const char *endpoint, const char *method,
                                    const char *data_json) {
    double until = now_ms() + atof(data_json);

    (void)endpoint;
    (void)method;
    while (now_ms() < until)
        continue;
    return "true";
}

PluginInfo plugin_info(void) {
    return (PluginInfo){"computing", "1.0.0", "Computes as long as it is told to."};
}

PluginVTable plugin_vtable(void) {
    return (PluginVTable){.process_endpoint = process_endpoint};
}
