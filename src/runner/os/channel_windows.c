/*
 * Descriptor 3 is a named pipe that libuv passes to the C runtime as an inherited descriptor. Two
 * limits follow. libuv must have created the pipe with stdio 'pipe', not 'overlapped'. And Windows runs
 * one operation at a time on such a pipe: a line that a plugin's own thread logs between two calls
 * leaves only when the next frame from the server arrives.
 *
 * SPDX-License-Identifier: MIT
 */
#include <io.h>
#include <windows.h>

#include "os/channel.h"
#include "protocol.h"

enum { TRANSFER_MAX = 1024 * 1024 };

static HANDLE channel(void) {
    return (HANDLE)_get_osfhandle(PROTOCOL_DESCRIPTOR);
}

void channel_prepare(void) {
    (void)SetHandleInformation(channel(), HANDLE_FLAG_INHERIT, 0);
    /* This C runtime has no line buffering. */
    (void)setvbuf(stdout, NULL, _IONBF, 0);
}

static enum channel_result failure(void) {
    DWORD code = GetLastError();

    return code == ERROR_BROKEN_PIPE || code == ERROR_NO_DATA || code == ERROR_HANDLE_EOF
               ? CHANNEL_CLOSED
               : CHANNEL_FAILED;
}

static DWORD limited(size_t length) {
    return length < TRANSFER_MAX ? (DWORD)length : (DWORD)TRANSFER_MAX;
}

enum channel_result channel_read(void *into, size_t room, size_t *got) {
    DWORD count = 0;

    if (!ReadFile(channel(), into, limited(room), &count, NULL))
        return failure();
    *got = count;
    return count == 0 ? CHANNEL_CLOSED : CHANNEL_OK;
}

enum channel_result channel_write(const void *bytes, size_t length) {
    const char *next = bytes;

    while (length > 0) {
        DWORD count = 0;

        if (!WriteFile(channel(), next, limited(length), &count, NULL))
            return failure();
        next += count;
        length -= count;
    }
    return CHANNEL_OK;
}

bool channel_try_write(const void *bytes, size_t length) {
    (void)bytes;
    (void)length;
    return false;
}

FILE *channel_divert_stdout(void) {
    int real = _dup(1);

    if (real < 0 || _dup2(2, 1) < 0)
        return NULL;
    return _fdopen(real, "w");
}
