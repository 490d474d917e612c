/* SPDX-License-Identifier: MIT */
#include "interpose/interpose.h"

#if defined(__GLIBC__)

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(mode_t) <= sizeof(unsigned), "a mode is passed as an unsigned int");

static enum permission to_open(int flags) {
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;

    return writes ? PERMISSION_FILESYSTEM_WRITE : PERMISSION_FILESYSTEM_READ;
}

static enum permission to_open_stream(const char *mode) {
    return mode[0] == 'r' && strchr(mode, '+') == NULL ? PERMISSION_FILESYSTEM_READ
                                                       : PERMISSION_FILESYSTEM_WRITE;
}

/* No directory can be granted for set-id files, so no permission helps. */
static enum permission to_create(int flags, unsigned mode) {
    enum { SET_ID = S_ISUID | S_ISGID };

    return (flags & O_CREAT) != 0 && (mode & SET_ID) != 0 ? PERMISSION_NEVER : to_open(flags);
}

#define FAILED (outcome == -1 && was_refused())
#define NO_STREAM (outcome == NULL && was_refused())

/* The mode is passed only when the call may create a file. */
#define WITH_MODE(name, parameters, arguments)                                                     \
    NEXT(name)                                                                                     \
    INTERPOSED int name parameters {                                                               \
        unsigned mode = 0;                                                                         \
        int outcome;                                                                               \
                                                                                                   \
        if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {                                              \
            va_list more;                                                                          \
                                                                                                   \
            va_start(more, flags);                                                                 \
            mode = va_arg(more, unsigned);                                                         \
            va_end(more);                                                                          \
        }                                                                                          \
        if (name##_next == NULL)                                                                   \
            find_##name();                                                                         \
        outcome = name##_next arguments;                                                           \
        if (__builtin_expect(FAILED, 0))                                                           \
            refusals_note(to_create(flags, mode), #name, path);                                    \
        return outcome;                                                                            \
    }

WITH_MODE(open, (const char *path, int flags, ...), (path, flags, mode))
WITH_MODE(open64, (const char *path, int flags, ...), (path, flags, mode))
WITH_MODE(openat, (int directory, const char *path, int flags, ...), (directory, path, flags, mode))
WITH_MODE(openat64, (int directory, const char *path, int flags, ...),
          (directory, path, flags, mode))

INTERPOSE(int, creat, (const char *path, mode_t mode), (path, mode), FAILED,
          refusals_note(PERMISSION_FILESYSTEM_WRITE, "creat", path))
INTERPOSE(int, creat64, (const char *path, mode_t mode), (path, mode), FAILED,
          refusals_note(PERMISSION_FILESYSTEM_WRITE, "creat64", path))
INTERPOSE(FILE *, fopen, (const char *restrict path, const char *restrict mode), (path, mode),
          NO_STREAM, refusals_note(to_open_stream(mode), "fopen", path))
INTERPOSE(FILE *, fopen64, (const char *restrict path, const char *restrict mode), (path, mode),
          NO_STREAM, refusals_note(to_open_stream(mode), "fopen64", path))
INTERPOSE(DIR *, opendir, (const char *path), (path), NO_STREAM,
          refusals_note(PERMISSION_FILESYSTEM_READ, "opendir", path))

#define CHANGES(name, parameters, arguments, path)                                                 \
    INTERPOSE(int, name, parameters, arguments, FAILED,                                            \
              refusals_note(PERMISSION_FILESYSTEM_WRITE, #name, path))

CHANGES(mkdir, (const char *path, mode_t mode), (path, mode), path)
CHANGES(mkdirat, (int directory, const char *path, mode_t mode), (directory, path, mode), path)
CHANGES(rmdir, (const char *path), (path), path)
CHANGES(unlink, (const char *path), (path), path)
CHANGES(unlinkat, (int directory, const char *path, int flags), (directory, path, flags), path)
CHANGES(remove, (const char *path), (path), path)
CHANGES(rename, (const char *from, const char *to), (from, to), to)
CHANGES(renameat, (int in, const char *from, int into, const char *to), (in, from, into, to), to)

#endif
