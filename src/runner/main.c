/*
 * backworks-runner: hosts one plugin in a process of its own. When the plugin crashes, hangs or is
 * stopped, the server sees no more than a failed call.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/channel.h"
#include "library/describe.h"
#include "os/parent_death.h"
#include "sandbox/print_filter.h"
#include "protocol.h"
#include "serve/serve.h"
#include "serve/services.h"

typedef struct Options {
    long parent;          /* 0: the process that started this one */
    const char *describe; /* NULL: serve */
    char **settings;      /* of the sandbox, for describe */
    size_t setting_count;
    bool version;
} Options;

/* A process id: digits only, above 0. */
static bool parse_process_id(const char *text, long *id) {
    char *end;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *id = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && *id > 0 && *id <= INT_MAX;
}

static bool parse(char **arguments, Options *options) {
    for (; *arguments != NULL; arguments++) {
        if (strcmp(*arguments, "--version") == 0) {
            options->version = true;
        } else if (strcmp(*arguments, "--parent") == 0) {
            if (!parse_process_id(*++arguments, &options->parent))
                return false;
        } else if (strcmp(*arguments, "--describe") == 0) {
            options->describe = *++arguments;
            if (options->describe == NULL || *options->describe == '\0')
                return false;
            options->settings = arguments + 1;
            /* A setting contains '='; no option does. */
            while (arguments[1] != NULL && strchr(arguments[1], '=') != NULL) {
                arguments++;
                options->setting_count++;
            }
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    Options options = {0};

    if (argc > 1 && strcmp(argv[1], "--print-filter") == 0)
        return print_filter((const char *const *)argv + 2);
    if (argc < 1 || !parse(argv + 1, &options)) {
        (void)fputs(
            "usage: backworks-runner [--parent PID] [--describe LIBRARY [SETTING=VALUE...]]\n"
            "       backworks-runner --print-filter SETTING=VALUE...\n"
            "       backworks-runner --version\n"
            "Without --describe it serves the runner protocol on descriptors 3 and 6.\n",
            stderr);
        return RUNNER_EXIT_USAGE;
    }
    if (options.version) {
        (void)printf("%d\n", (int)PROTOCOL_VERSION);
        return RUNNER_EXIT_OK;
    }
    /* Must come before any code of a plugin runs. */
    if (!parent_death_arm(options.parent))
        return RUNNER_EXIT_ORPHANED;
    channel_prepare();
    services_prepare();
    if (options.describe != NULL)
        describe(options.describe, (const char *const *)options.settings, options.setting_count);
    serve();
}
