/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "sandbox/sandbox_policy.h"

#define MIB (UINT64_C(1024) * 1024)

enum { PORT_MAX = 65535, KEY_MAX = 32, USER_NOBODY = 65534 };

/* The highest number is not a user: in system calls it means "do not change the user". */
#define USER_MAX (UINT32_MAX - 1)

/* Each setter returns NULL, or what is wrong with the value. */
typedef const char *Setter(SandboxPolicy *policy, const char *value);

static const char *read_number(const char *text, uint64_t max, uint64_t *number) {
    uint64_t sum = 0;

    if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
        return "not a decimal number";
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return "not a decimal number";
        if (sum > (max - (uint64_t)(*text - '0')) / 10)
            return "too large";
        sum = sum * 10 + (uint64_t)(*text - '0');
    }
    *number = sum;
    return NULL;
}

/* Paths must be absolute and free of `..`, so that a path means the same to every reader. */
static const char *check_path(const char *path) {
    if (path[0] != '/')
        return "not an absolute path";
    if (strlen(path) >= SANDBOX_PATH_MAX)
        return "too long";
    for (const char *dots = strstr(path, "/.."); dots != NULL; dots = strstr(dots + 1, "/..")) {
        if (dots[3] == '\0' || dots[3] == '/')
            return "a path must not contain `..`";
    }
    return NULL;
}

static const char *add_path(PathList *list, const char *value) {
    const char *wrong = check_path(value);

    if (wrong != NULL)
        return wrong;
    if (list->count == SANDBOX_LIST_MAX)
        return "one path too many";
    list->paths[list->count++] = value;
    return NULL;
}

static const char *add_port(PortList *list, const char *value) {
    uint64_t port;
    const char *wrong = read_number(value, PORT_MAX, &port);

    if (wrong != NULL)
        return wrong;
    if (port == 0)
        return "a port is at least 1";
    if (list->count == SANDBOX_LIST_MAX)
        return "one port too many";
    list->ports[list->count++] = (uint16_t)port;
    return NULL;
}

static const char *set_mode(SandboxPolicy *policy, const char *value) {
    static const char *const names[] = {
        [SANDBOX_STRICT] = "strict", [SANDBOX_BEST_EFFORT] = "best-effort", [SANDBOX_OFF] = "off"};

    for (size_t mode = 0; mode < sizeof names / sizeof *names; mode++) {
        if (strcmp(value, names[mode]) == 0) {
            policy->mode = (enum sandbox_mode)mode;
            return NULL;
        }
    }
    return "not one of strict, best-effort, off";
}

static const char *set_library(SandboxPolicy *policy, const char *value) {
    policy->library = value;
    return check_path(value);
}

static const char *set_memory(SandboxPolicy *policy, const char *value) {
    return read_number(value, INT64_MAX, &policy->memory_bytes);
}

static const char *set_open_files(SandboxPolicy *policy, const char *value) {
    return read_number(value, INT32_MAX, &policy->open_files);
}

static const char *set_file_size(SandboxPolicy *policy, const char *value) {
    return read_number(value, INT64_MAX, &policy->file_size_bytes);
}

static const char *set_cpu(SandboxPolicy *policy, const char *value) {
    return read_number(value, INT32_MAX, &policy->cpu_seconds);
}

static const char *set_threads(SandboxPolicy *policy, const char *value) {
    return read_number(value, INT32_MAX, &policy->threads);
}

static const char *set_user(SandboxPolicy *policy, const char *value) {
    uint64_t user = 0;
    const char *wrong = read_number(value, USER_MAX, &user);

    policy->user = (uint32_t)user;
    return wrong != NULL || user > 0 ? wrong : "a plugin cannot run as root";
}

static const char *set_user_threads(SandboxPolicy *policy, const char *value) {
    return read_number(value, INT32_MAX, &policy->user_threads);
}

static const char *set_udp(SandboxPolicy *policy, const char *value) {
    policy->udp = value[0] == '1';
    return (value[0] == '0' || value[0] == '1') && value[1] == '\0' ? NULL : "not 0 or 1";
}

static const char *add_read(SandboxPolicy *policy, const char *value) {
    return add_path(&policy->read, value);
}

static const char *add_write(SandboxPolicy *policy, const char *value) {
    return add_path(&policy->write, value);
}

static const char *add_connect(SandboxPolicy *policy, const char *value) {
    return add_port(&policy->connect, value);
}

static const char *add_listen(SandboxPolicy *policy, const char *value) {
    return add_port(&policy->listen, value);
}

static const struct key {
    const char *name;
    Setter *set;
    bool repeats;
} keys[] = {
    {"mode", set_mode, false},
    {"library", set_library, false},
    {"memory", set_memory, false},
    {"open_files", set_open_files, false},
    {"file_size", set_file_size, false},
    {"cpu", set_cpu, false},
    {"threads", set_threads, false},
    {"user", set_user, false},
    {"user_threads", set_user_threads, false},
    {"udp", set_udp, false},
    {"read", add_read, true},
    {"write", add_write, true},
    {"connect", add_connect, true},
    {"listen", add_listen, true},
};

enum { KEY_COUNT = sizeof keys / sizeof *keys };

static const struct key *find_key(const char *setting, size_t length) {
    for (size_t index = 0; index < KEY_COUNT; index++) {
        if (strlen(keys[index].name) == length && memcmp(keys[index].name, setting, length) == 0)
            return &keys[index];
    }
    return NULL;
}

/* Checks rules that concern several settings. Returns NULL, or what is wrong. */
static const char *check_whole(const SandboxPolicy *policy) {
    if (policy->mode == SANDBOX_OFF)
        return NULL;
    if (policy->library == NULL)
        return "library is missing";
    if (policy->memory_bytes == 0 || policy->open_files == 0 || policy->file_size_bytes == 0 ||
        policy->threads == 0)
        return "a limit of 0 needs mode=off";
    return NULL;
}

bool sandbox_policy_parse(SandboxPolicy *policy, const char *const *settings, size_t count,
                          char error[SANDBOX_ERROR_MAX]) {
    bool given[KEY_COUNT] = {false};
    const char *wrong;

    *policy = (SandboxPolicy){.memory_bytes = 256 * MIB,
                              .open_files = 64,
                              .file_size_bytes = 64 * MIB,
                              .threads = 64,
                              .user = USER_NOBODY};
    for (size_t index = 0; index < count; index++) {
        const char *setting = settings[index];
        const char *equals = strchr(setting, '=');
        const struct key *key =
            equals != NULL ? find_key(setting, (size_t)(equals - setting)) : NULL;

        if (key == NULL)
            wrong = "unknown setting";
        else if (!key->repeats && given[key - keys])
            wrong = "given twice";
        else
            wrong = key->set(policy, equals + 1);
        if (wrong != NULL) {
            (void)snprintf(error, SANDBOX_ERROR_MAX, "%.200s: %s", setting, wrong);
            return false;
        }
        given[key - keys] = true;
    }
    wrong = check_whole(policy);
    if (wrong != NULL)
        (void)snprintf(error, SANDBOX_ERROR_MAX, "%s", wrong);
    return wrong == NULL;
}
