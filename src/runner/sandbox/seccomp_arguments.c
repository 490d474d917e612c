/*
 * The values are those of the kernel's interface; they are the same on x86-64 and AArch64. For an
 * argument of type int, only the lower 32 bits are checked, because the kernel drops the rest.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox/seccomp_arguments.h"

enum {
    ERROR_NO_MEMORY = 12,
    ERROR_NOT_A_TERMINAL = 25,
    ERROR_PROTOCOL = 93,
    ERROR_ADDRESS_FAMILY = 97
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void load(const SeccompFilter *filter, unsigned argument) {
    bpf_load(filter->program, DATA_ARGUMENTS + 8 * argument);
}

static void load_high(const SeccompFilter *filter, unsigned argument) {
    bpf_load(filter->program, DATA_ARGUMENTS + 8 * argument + 4);
}

/* Ends the current rule with another rule. */
static void jump_to(const SeccompFilter *filter, enum call_rule rule) {
    bpf_jump(filter->program, filter->rules[rule]);
}

static void jump_to_if(const SeccompFilter *filter, enum bpf_condition condition, uint32_t operand,
                       enum call_rule rule) {
    bpf_jump_if(filter->program, condition, operand, filter->rules[rule]);
}

static void fail(const SeccompFilter *filter, uint32_t error) {
    bpf_return(filter->program, SECCOMP_ACTION_ERRNO | error);
}

static void jump_to_if_one_of(const SeccompFilter *filter, const uint32_t *values, size_t count,
                              enum call_rule rule) {
    for (size_t index = 0; index < count; index++)
        jump_to_if(filter, BPF_EQUAL, values[index], rule);
}

static bool has_network(const SandboxPolicy *policy) {
    return policy->connect.count > 0 || policy->listen.count > 0 || policy->udp;
}

static bool has_files(const SandboxPolicy *policy) {
    return policy->read.count > 0 || policy->write.count > 0;
}

/* SOCK_CLOEXEC and SOCK_NONBLOCK are flags beside the socket's type. */
enum { SOCKET_STREAM = 1, SOCKET_DATAGRAM = 2, SOCKET_PACKETS = 5, SOCKET_FLAGS = 02004000 };

/* Allows plain TCP and UDP only: Landlock's port rules do not cover MPTCP (protocol 262). */
static void write_socket(const SeccompFilter *filter, unsigned argument) {
    enum { INET = 2, INET6 = 10, TCP = 6, UDP = 17 };
    const SandboxPolicy *policy = filter->policy;
    BpfProgram *program = filter->program;
    bool tcp = policy->connect.count > 0 || policy->listen.count > 0;
    BpfLabel internet = bpf_label(program);
    BpfLabel stream = bpf_label(program);
    BpfLabel datagram = bpf_label(program);

    /* The instructions after this jump are then never reached. */
    if (!tcp && !policy->udp)
        jump_to(filter, CALL_DENY);
    load(filter, argument);
    bpf_jump_if(program, BPF_EQUAL, INET, internet);
    bpf_jump_if(program, BPF_EQUAL, INET6, internet);
    fail(filter, ERROR_ADDRESS_FAMILY);
    bpf_place(program, internet);
    load(filter, argument + 1);
    bpf_and(program, ~(uint32_t)SOCKET_FLAGS);
    if (tcp)
        bpf_jump_if(program, BPF_EQUAL, SOCKET_STREAM, stream);
    if (policy->udp)
        bpf_jump_if(program, BPF_EQUAL, SOCKET_DATAGRAM, datagram);
    jump_to(filter, CALL_DENY);
    bpf_place(program, stream);
    load(filter, argument + 2);
    jump_to_if(filter, BPF_EQUAL, 0, CALL_ALLOW);
    jump_to_if(filter, BPF_EQUAL, TCP, CALL_ALLOW);
    fail(filter, ERROR_PROTOCOL);
    bpf_place(program, datagram);
    load(filter, argument + 2);
    jump_to_if(filter, BPF_EQUAL, 0, CALL_ALLOW);
    jump_to_if(filter, BPF_EQUAL, UDP, CALL_ALLOW);
    fail(filter, ERROR_PROTOCOL);
}

/* Allows connected Unix sockets. A datagram socket could still send to any socket with a path. */
static void write_socketpair(const SeccompFilter *filter, unsigned argument) {
    enum { UNIX = 1 };
    BpfLabel is_unix = bpf_label(filter->program);

    load(filter, argument);
    bpf_jump_if(filter->program, BPF_EQUAL, UNIX, is_unix);
    jump_to(filter, CALL_DENY);
    bpf_place(filter->program, is_unix);
    load(filter, argument + 1);
    bpf_and(filter->program, ~(uint32_t)SOCKET_FLAGS);
    jump_to_if(filter, BPF_EQUAL, SOCKET_STREAM, CALL_ALLOW);
    jump_to_if(filter, BPF_EQUAL, SOCKET_PACKETS, CALL_ALLOW);
    jump_to(filter, CALL_DENY);
}

/* Refuses MSG_FASTOPEN, which connects without asking Landlock. */
static void write_send(const SeccompFilter *filter, unsigned argument) {
    load(filter, argument);
    jump_to_if(filter, BPF_ANY_BIT, 0x20000000, CALL_DENY);
    jump_to(filter, CALL_ALLOW);
}

/*
 * Messages can carry descriptors (SCM_RIGHTS). No limit of the process counts descriptors in flight, and
 * the filter cannot look into a message. A plugin without network permissions has only Unix socket pairs;
 * write() and send() do everything else on those, so sendmsg() is refused.
 */
static void write_message(const SeccompFilter *filter, unsigned argument) {
    if (has_network(filter->policy))
        write_send(filter, argument);
    else
        jump_to(filter, CALL_DENY);
}

/*
 * RLIMIT_DATA does not count shared memory, stacks that grow, or huge pages. A plugin with file
 * permissions may map its files shared, because the kernel can write those pages back to the file.
 */
static void write_mmap(const SeccompFilter *filter, unsigned argument) {
    enum { TYPE = 0x0F, PRIVATE = 2, ANONYMOUS = 0x20, GROWS_DOWN = 0x100, HUGE_PAGES = 0x40000 };
    BpfLabel refused = bpf_label(filter->program);

    load(filter, argument);
    bpf_jump_if(filter->program, BPF_ANY_BIT, GROWS_DOWN | HUGE_PAGES, refused);
    bpf_and(filter->program, TYPE);
    jump_to_if(filter, BPF_EQUAL, PRIVATE, CALL_ALLOW);
    if (has_files(filter->policy)) {
        load(filter, argument);
        bpf_jump_if(filter->program, BPF_ANY_BIT, ANONYMOUS, refused);
        jump_to(filter, CALL_ALLOW);
    }
    bpf_place(filter->program, refused);
    fail(filter, ERROR_NO_MEMORY);
}

/* Allows threads, but no processes and no namespaces. */
static void write_clone(const SeccompFilter *filter, unsigned argument) {
    enum { THREAD = 0x00010000, NAMESPACES = 0x7E020000 };
    BpfLabel thread = bpf_label(filter->program);

    load(filter, argument);
    bpf_jump_if(filter->program, BPF_ANY_BIT, THREAD, thread);
    jump_to(filter, CALL_DENY);
    bpf_place(filter->program, thread);
    jump_to_if(filter, BPF_ANY_BIT, NAMESPACES, CALL_DENY);
    jump_to(filter, CALL_ALLOW);
}

/* Allows the call when the argument is this process's id; not another process or the process group. */
static void write_self(const SeccompFilter *filter, unsigned argument) {
    load(filter, argument);
    jump_to_if(filter, BPF_EQUAL, filter->process_id, CALL_ALLOW);
    jump_to(filter, CALL_DENY);
}

/* Like write_self(), for calls in which 0 means the caller. */
static void write_self_or_zero(const SeccompFilter *filter, unsigned argument) {
    load(filter, argument);
    jump_to_if(filter, BPF_EQUAL, 0, CALL_ALLOW);
    jump_to_if(filter, BPF_EQUAL, filter->process_id, CALL_ALLOW);
    jump_to(filter, CALL_DENY);
}

/* A plugin may handle any signal except SIGSYS, which the runner needs to report refused calls. */
static void write_sigaction(const SeccompFilter *filter, unsigned argument) {
    enum { SIGNAL_BAD_CALL = 31 };
    BpfLabel bad_call = bpf_label(filter->program);

    load(filter, argument);
    bpf_jump_if(filter->program, BPF_EQUAL, SIGNAL_BAD_CALL, bad_call);
    jump_to(filter, CALL_ALLOW);
    bpf_place(filter->program, bad_call);
    load(filter, argument + 1);
    jump_to_if(filter, BPF_AT_LEAST, 1, CALL_DENY);
    load_high(filter, argument + 1);
    jump_to_if(filter, BPF_AT_LEAST, 1, CALL_DENY);
    jump_to(filter, CALL_ALLOW);
}

/* Allows names and queries; nothing that undoes what the runner has restricted. */
static void write_prctl(const SeccompFilter *filter, unsigned argument) {
    static const uint32_t allowed[] = {
        2,          /* PR_GET_PDEATHSIG */
        3,          /* PR_GET_DUMPABLE */
        15,         /* PR_SET_NAME */
        16,         /* PR_GET_NAME */
        21,         /* PR_GET_SECCOMP */
        23,         /* PR_CAPBSET_READ */
        30,         /* PR_GET_TIMERSLACK */
        38,         /* PR_SET_NO_NEW_PRIVS: already set */
        39,         /* PR_GET_NO_NEW_PRIVS */
        56,         /* PR_GET_TAGGED_ADDR_CTRL */
        0x53564d41, /* PR_SET_VMA: names of mappings */
    };

    load(filter, argument);
    jump_to_if_one_of(filter, allowed, COUNT(allowed), CALL_ALLOW);
    jump_to(filter, CALL_DENY);
}

/* Allows reading this process's own limits. */
static void write_prlimit(const SeccompFilter *filter, unsigned argument) {
    load(filter, argument + 2);
    jump_to_if(filter, BPF_AT_LEAST, 1, CALL_DENY);
    load_high(filter, argument + 2);
    jump_to_if(filter, BPF_AT_LEAST, 1, CALL_DENY);
    write_self_or_zero(filter, argument);
}

enum { MODE_SET_ID = 06000 };

/*
 * No new file may be set-id. O_TRUNC requires write access: before ABI 3, Landlock lets a plugin truncate
 * a file it may only read.
 */
static void write_open(const SeccompFilter *filter, unsigned argument) {
    enum { CREATE = 0100, UNNAMED = 020000000, TRUNCATE = 01000, ACCESS_MODE = 3 };
    BpfLabel creates = bpf_label(filter->program);
    BpfLabel exists = bpf_label(filter->program);

    load(filter, argument);
    bpf_jump_if(filter->program, BPF_ANY_BIT, CREATE | UNNAMED, creates);
    bpf_jump(filter->program, exists);
    bpf_place(filter->program, creates);
    load(filter, argument + 1);
    jump_to_if(filter, BPF_ANY_BIT, MODE_SET_ID, CALL_DENY);
    bpf_place(filter->program, exists);
    load(filter, argument);
    bpf_and(filter->program, TRUNCATE | ACCESS_MODE);
    jump_to_if(filter, BPF_EQUAL, TRUNCATE, CALL_DENY);
    jump_to_if(filter, BPF_EQUAL, TRUNCATE | ACCESS_MODE, CALL_DENY);
    jump_to(filter, CALL_ALLOW);
}

static void write_create(const SeccompFilter *filter, unsigned argument) {
    load(filter, argument);
    jump_to_if(filter, BPF_ANY_BIT, MODE_SET_ID, CALL_DENY);
    jump_to(filter, filter->policy->write.count > 0 ? CALL_ALLOW : CALL_REPORT);
}

static void write_ioctl(const SeccompFilter *filter, unsigned argument) {
    static const uint32_t allowed[] = {
        0x5401, /* TCGETS: isatty() */
        0x5413, /* TIOCGWINSZ */
        0x541B, /* FIONREAD */
        0x5421, /* FIONBIO */
        0x5450, /* FIONCLEX */
        0x5451, /* FIOCLEX */
    };

    load(filter, argument);
    jump_to_if_one_of(filter, allowed, COUNT(allowed), CALL_ALLOW);
    fail(filter, ERROR_NOT_A_TERMINAL);
}

/*
 * Refuses F_SETOWN, which sends signals, and F_SETPIPE_SZ, which takes kernel memory. File locks also take
 * kernel memory, up to one lock for each byte of a file, so only a plugin with file permissions may lock.
 */
static void write_fcntl(const SeccompFilter *filter, unsigned argument) {
    static const uint32_t allowed[] = {
        0,    /* F_DUPFD */
        1,    /* F_GETFD */
        2,    /* F_SETFD */
        3,    /* F_GETFL */
        4,    /* F_SETFL */
        1030, /* F_DUPFD_CLOEXEC */
        1032, /* F_GETPIPE_SZ */
    };
    static const uint32_t locks[] = {
        5,  /* F_GETLK */
        6,  /* F_SETLK */
        7,  /* F_SETLKW */
        36, /* F_OFD_GETLK */
        37, /* F_OFD_SETLK */
        38, /* F_OFD_SETLKW */
    };

    load(filter, argument);
    jump_to_if_one_of(filter, allowed, COUNT(allowed), CALL_ALLOW);
    if (has_files(filter->policy))
        jump_to_if_one_of(filter, locks, COUNT(locks), CALL_ALLOW);
    jump_to(filter, CALL_DENY);
}

/* The writer of each rule, and the index of the first argument it checks. */
static const struct writer {
    void (*write)(const SeccompFilter *filter, unsigned argument);
    unsigned argument;
} writers[CALL_RULES] = {
    [CALL_SOCKET] = {write_socket, 0},     [CALL_SOCKETPAIR] = {write_socketpair, 0},
    [CALL_SENDTO] = {write_send, 3},       [CALL_SENDMSG] = {write_message, 2},
    [CALL_SENDMMSG] = {write_message, 3},  [CALL_MMAP] = {write_mmap, 3},
    [CALL_CLONE] = {write_clone, 0},       [CALL_SELF_SIGNAL] = {write_self, 0},
    [CALL_SELF] = {write_self_or_zero, 0}, [CALL_SIGACTION] = {write_sigaction, 0},
    [CALL_PRCTL] = {write_prctl, 0},       [CALL_PRLIMIT] = {write_prlimit, 0},
    [CALL_OPEN] = {write_open, 1},         [CALL_OPENAT] = {write_open, 2},
    [CALL_CREAT] = {write_create, 1},      [CALL_MKDIR] = {write_create, 1},
    [CALL_MKDIRAT] = {write_create, 2},    [CALL_IOCTL] = {write_ioctl, 1},
    [CALL_FCNTL] = {write_fcntl, 1},
};

void seccomp_write_arguments_rule(const SeccompFilter *filter, enum call_rule rule) {
    writers[rule].write(filter, writers[rule].argument);
}
