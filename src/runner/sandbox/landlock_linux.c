/*
 * Constants and structures are written out, because the headers of many systems are older than their
 * kernels. Each access right is used only from the ABI version that introduced it.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/landlock.h"

enum { CALL_CREATE_RULESET = 444, CALL_ADD_RULE = 445, CALL_RESTRICT_SELF = 446 };
enum { CREATE_RULESET_VERSION = 1, RULE_PATH = 1, RULE_PORT = 2 };
enum { ABI_FILES = 1, ABI_REFER, ABI_TRUNCATE, ABI_TCP, ABI_IOCTL_DEVICE, ABI_SCOPES };

#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIRECTORY (UINT64_C(1) << 3)
#define FS_REMOVE_DIRECTORY (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIRECTORY (UINT64_C(1) << 7)
#define FS_MAKE_FILE (UINT64_C(1) << 8)
#define FS_ALL_ABI_1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEVICE (UINT64_C(1) << 15)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

/* Rights that apply to files. The kernel refuses the other rights for a file. */
#define FS_ON_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEVICE)
#define FS_READ (FS_READ_FILE | FS_READ_DIRECTORY)
#define FS_LOAD (FS_READ | FS_EXECUTE)
/* Without devices, sockets, pipes and symbolic links, which reach beyond their directory. */
#define FS_WRITE                                                                                   \
    (FS_READ | FS_WRITE_FILE | FS_REMOVE_DIRECTORY | FS_REMOVE_FILE | FS_MAKE_DIRECTORY |          \
     FS_MAKE_FILE | FS_REFER | FS_TRUNCATE)

struct ruleset_attributes {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

struct port_rule {
    uint64_t allowed;
    uint64_t port;
};

typedef struct Ruleset {
    int descriptor;
    int abi;
    struct ruleset_attributes handled;
} Ruleset;

/* What every library needs to load and run. Paths that do not exist are skipped. */
static const struct {
    const char *path;
    uint64_t allowed;
} always[] = {
    {"/lib", FS_LOAD},
    {"/lib32", FS_LOAD},
    {"/lib64", FS_LOAD},
    {"/usr/lib", FS_LOAD},
    {"/usr/lib32", FS_LOAD},
    {"/usr/lib64", FS_LOAD},
    {"/etc/ld.so.cache", FS_READ},
    {"/etc/localtime", FS_READ},
    {"/usr/share/zoneinfo", FS_READ},
    {"/dev/null", FS_READ | FS_WRITE_FILE},
    {"/dev/zero", FS_READ},
    {"/dev/random", FS_READ},
    {"/dev/urandom", FS_READ},
};

/*
 * Name resolution, and the certificates and settings of TLS libraries, where Debian, Fedora, SUSE, Arch
 * and Alpine keep them. The parent directories are not listed, because they hold private keys.
 */
static const char *const for_connections[] = {
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates",
    "/etc/gnutls/config",
    "/etc/pki/ca-trust/extracted",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/openssl.cnf",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/share/pki",
    "/var/lib/ca-certificates",
};

static bool add_path(const Ruleset *ruleset, const char *path, uint64_t allowed) {
    struct path_rule rule = {.parent = open(path, O_PATH | O_CLOEXEC)};
    struct stat facts;
    long result;
    int error;

    if (rule.parent < 0)
        return false;
    if (fstat(rule.parent, &facts) != 0 || !S_ISDIR(facts.st_mode))
        allowed &= FS_ON_FILES;
    rule.allowed = allowed & ruleset->handled.files;
    result = syscall(CALL_ADD_RULE, ruleset->descriptor, RULE_PATH, &rule, 0);
    error = errno;
    (void)close(rule.parent);
    errno = error;
    return result == 0;
}

/* A grant this user could not use anyway is a mistake, reported now instead of during a request. */
static bool grant(const Ruleset *ruleset, const char *what, const char *path, uint64_t allowed,
                  SandboxReport *report) {
    int mode = R_OK | ((allowed & FS_WRITE_FILE) != 0 ? W_OK : 0);

    if (add_path(ruleset, path, allowed) && access(path, mode) == 0)
        return true;
    return sandbox_report_missing(report, "%s %s cannot be granted to user %u: %s", what, path,
                                  (unsigned)getuid(), strerror(errno));
}

static bool grant_each(const Ruleset *ruleset, const char *what, const PathList *list,
                       uint64_t allowed, SandboxReport *report) {
    bool complete = true;

    for (size_t index = 0; index < list->count; index++)
        complete &= grant(ruleset, what, list->paths[index], allowed, report);
    return complete;
}

static bool add_files(const Ruleset *ruleset, const SandboxPolicy *policy, SandboxReport *report) {
    bool complete;

    for (size_t index = 0; index < sizeof always / sizeof *always; index++)
        (void)add_path(ruleset, always[index].path, always[index].allowed);
    if (policy->connect.count > 0 || policy->udp) {
        for (size_t index = 0; index < sizeof for_connections / sizeof *for_connections; index++)
            (void)add_path(ruleset, for_connections[index], FS_READ);
    }
    complete = grant(ruleset, "the library", policy->library, FS_LOAD, report);
    complete &= grant_each(ruleset, "filesystem.read", &policy->read, FS_READ, report);
    complete &= grant_each(ruleset, "filesystem.write", &policy->write, FS_WRITE, report);
    return complete;
}

static bool add_ports(const Ruleset *ruleset, const char *what, const PortList *list,
                      uint64_t allowed, SandboxReport *report) {
    bool complete = true;

    if (list->count > 0 && ruleset->abi < ABI_TCP)
        return sandbox_report_missing(
            report, "%s needs Landlock ABI %d, this kernel has %d: every port is open", what,
            ABI_TCP, ruleset->abi);
    for (size_t index = 0; index < list->count; index++) {
        struct port_rule rule = {.allowed = allowed, .port = list->ports[index]};

        if (syscall(CALL_ADD_RULE, ruleset->descriptor, RULE_PORT, &rule, 0) != 0)
            complete = sandbox_report_missing(report, "%s %u cannot be granted: %s", what,
                                              (unsigned)list->ports[index], strerror(errno));
    }
    return complete;
}

static bool create(Ruleset *ruleset) {
    size_t size = ruleset->abi >= ABI_SCOPES ? sizeof ruleset->handled
                  : ruleset->abi >= ABI_TCP  ? offsetof(struct ruleset_attributes, scopes)
                                             : offsetof(struct ruleset_attributes, network);

    ruleset->handled.files = FS_ALL_ABI_1;
    if (ruleset->abi >= ABI_REFER)
        ruleset->handled.files |= FS_REFER;
    if (ruleset->abi >= ABI_TRUNCATE)
        ruleset->handled.files |= FS_TRUNCATE;
    if (ruleset->abi >= ABI_IOCTL_DEVICE)
        ruleset->handled.files |= FS_IOCTL_DEVICE;
    ruleset->handled.network = NET_BIND_TCP | NET_CONNECT_TCP;
    ruleset->handled.scopes = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
    ruleset->descriptor = (int)syscall(CALL_CREATE_RULESET, &ruleset->handled, size, 0);
    return ruleset->descriptor >= 0;
}

bool landlock_apply(const SandboxPolicy *policy, SandboxReport *report) {
    Ruleset ruleset = {
        .abi = (int)syscall(CALL_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION),
    };
    bool complete;

    if (ruleset.abi < ABI_FILES)
        return sandbox_report_missing(report, "Landlock is not available: %s", strerror(errno));
    if (!create(&ruleset))
        return sandbox_report_missing(report, "Landlock cannot create a ruleset: %s",
                                      strerror(errno));
    complete = add_files(&ruleset, policy, report);
    complete &= add_ports(&ruleset, "network.connect", &policy->connect, NET_CONNECT_TCP, report);
    complete &= add_ports(&ruleset, "network.listen", &policy->listen, NET_BIND_TCP, report);
    if (syscall(CALL_RESTRICT_SELF, ruleset.descriptor, 0) != 0)
        complete =
            sandbox_report_missing(report, "Landlock cannot be applied: %s", strerror(errno));
    else
        sandbox_report_state(report, "landlock", "%d", ruleset.abi);
    (void)close(ruleset.descriptor);
    return complete;
}
