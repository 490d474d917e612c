/*
 * What a plugin may do and use. The server states it as strings `key=value`, one per setting.
 *
 *   mode=strict|best-effort|off   default strict
 *   library=/path                 the plugin's file; required unless mode=off
 *   memory=BYTES                  private writable memory, default 256 MiB
 *   open_files=COUNT              descriptors, default 64
 *   file_size=BYTES               longest file it can write, default 64 MiB
 *   cpu=SECONDS                   processor time of the whole process, default unlimited
 *   threads=COUNT                 threads of the process, including the first, default 64
 *   user=UID                      user and group of a process that is started as root, default 65534
 *   user_threads=COUNT            threads of all processes of that user, when no other plugin uses it;
 *                                 default 0: other plugins use it too
 *   read=/path  write=/path       a file, or a directory with everything below it; write includes read
 *   connect=PORT  listen=PORT     TCP
 *   udp=0|1                       UDP to any destination, default 0
 *
 * read, write, connect and listen may be repeated. Numbers are decimal; a limit of 0 means
 * unlimited and needs mode=off.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SANDBOX_POLICY_H
#define BACKWORKS_RUNNER_SANDBOX_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SANDBOX_LIST_MAX = 64, SANDBOX_PATH_MAX = 4096, SANDBOX_ERROR_MAX = 512 };

enum sandbox_mode {
    SANDBOX_STRICT,      /* fail when something the policy needs is missing */
    SANDBOX_BEST_EFFORT, /* apply what the system has and report what is missing */
    SANDBOX_OFF          /* limits only */
};

typedef struct PathList {
    const char *paths[SANDBOX_LIST_MAX];
    size_t count;
} PathList;

typedef struct PortList {
    uint16_t ports[SANDBOX_LIST_MAX];
    size_t count;
} PortList;

/* Paths point into the settings. */
typedef struct SandboxPolicy {
    enum sandbox_mode mode;
    const char *library; /* NULL when not given */
    uint64_t memory_bytes;
    uint64_t open_files;
    uint64_t file_size_bytes;
    uint64_t cpu_seconds;
    uint64_t threads;
    uint32_t user;         /* the group has the same number */
    uint64_t user_threads; /* 0: other plugins use the same user */
    PathList read;
    PathList write;
    PortList connect;
    PortList listen;
    bool udp;
} SandboxPolicy;

/* Reads `count` settings. Returns false at the first wrong one, with a sentence in `error`. */
bool sandbox_policy_parse(SandboxPolicy *policy, const char *const *settings, size_t count,
                          char error[SANDBOX_ERROR_MAX]);

#endif
