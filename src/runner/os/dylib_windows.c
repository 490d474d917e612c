/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <windows.h>

#include "os/dylib.h"

enum { PATH_UNITS_MAX = 32768 };

void *dylib_open(const char *path, char *why, size_t room) {
    static wchar_t wide[PATH_UNITS_MAX];
    HMODULE dylib = NULL;

    /* ALTERED_SEARCH_PATH: also finds libraries in the plugin's directory. */
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, PATH_UNITS_MAX) > 0)
        dylib = LoadLibraryExW(wide, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
    if (dylib == NULL)
        (void)snprintf(why, room, "%s: cannot be loaded, Windows error %lu", path, GetLastError());
    return dylib;
}

DylibFunction dylib_function(void *dylib, const char *name) {
    return (DylibFunction)GetProcAddress((HMODULE)dylib, name);
}
