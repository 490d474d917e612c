/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "os/channel.h"
#include "crash/crash_report.h"
#include "library/describe.h"
#include "library/library.h"
#include "protocol.h"
#include "sandbox/sandbox_settings.h"
#include "library/text.h"

static const struct {
    uint32_t bit;
    const char *name;
} functions[] = {
    {FUNCTION_INITIALIZE, "initialize"},
    {FUNCTION_SHUTDOWN, "shutdown"},
    {FUNCTION_HEALTH_CHECK, "health_check"},
    {FUNCTION_BEFORE_REQUEST, "before_request"},
    {FUNCTION_AFTER_RESPONSE, "after_response"},
    {FUNCTION_PROCESS_ENDPOINT, "process_endpoint"},
    {FUNCTION_MANIFEST, "manifest"},
    {FUNCTION_FREE_STRING, "free_string"},
    {FUNCTION_LAST_ERROR, "last_error"},
    {FUNCTION_BIND_HOST, "bind_host"},
    {FUNCTION_CALL, "call"},
    {FUNCTION_RECONFIGURE, "reconfigure"},
};

static void write_member(FILE *stream, const char *before, const char *text) {
    (void)fputs(before, stream);
    if (text != NULL)
        text_write_json(stream, text);
    else
        (void)fputs("null", stream);
}

static void write_library(FILE *stream, const Library *library) {
    const char *before = "";

    write_member(stream, "{\"name\":", library->info.name);
    write_member(stream, ",\"version\":", library->info.version);
    write_member(stream, ",\"description\":", library->info.description);
    write_member(stream, ",\"manifest\":", library->manifest);
    (void)fputs(",\"functions\":[", stream);
    for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
        if (!library_has(library, functions[index].bit))
            continue;
        (void)fputs(before, stream);
        text_write_json(stream, functions[index].name);
        before = ",";
    }
    (void)fprintf(stream, "],\"thread_safe\":%s,\"abi_version\":%u}\n",
                  library_has(library, FLAG_THREAD_SAFE) ? "true" : "false",
                  (unsigned)library->extensions.abi_version);
}

/* Ends the process without running the library's destructors and exit handlers. */
static _Noreturn void end(FILE *stream, int code) {
    if (fflush(stream) != 0)
        _Exit(RUNNER_EXIT_IO);
    (void)fflush(stdout);
    _Exit(code);
}

static _Noreturn void end_with_error(FILE *stream, const char *text, int code) {
    write_member(stream, "{\"error\":", text);
    (void)fputs("}\n", stream);
    end(stream, code);
}

/* Without settings there is no sandbox to apply. */
static bool confine(const char *const *settings, size_t count, SandboxReport *report) {
    if (count == 0)
        return true;
    crash_report_install();
    return sandbox_apply_list(settings, count, report);
}

_Noreturn void describe(const char *path, const char *const *settings, size_t count) {
    static SandboxReport report;
    /* First, because the sandbox closes the inherited descriptors. */
    bool confined = confine(settings, count, &report);
    FILE *stream = channel_divert_stdout();
    LibraryFailure failure;
    Library library;

    if (stream == NULL)
        _Exit(RUNNER_EXIT_IO);
    if (!confined)
        end_with_error(stream, report.reason, RUNNER_EXIT_SANDBOX);
    crash_report_write_to(stream);
    if (!library_open(&library, path, LOAD_PATH, &failure))
        end_with_error(stream, failure.text, RUNNER_EXIT_LOAD);
    write_library(stream, &library);
    end(stream, RUNNER_EXIT_OK);
}
