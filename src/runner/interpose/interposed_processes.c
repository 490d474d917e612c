/* SPDX-License-Identifier: MIT */
#include "interpose/interpose.h"

#if defined(__GLIBC__)

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox/seccomp.h"

#define FAILED (outcome == -1 && was_refused())

/* No permission allows these. */
#define NEVER(name, parameters, arguments)                                                         \
    INTERPOSE(int, name, parameters, arguments, FAILED, refusals_note(PERMISSION_NEVER, #name, ""))
#define NEVER_WITH_PATH(name, parameters, arguments)                                               \
    INTERPOSE(int, name, parameters, arguments, FAILED,                                            \
              refusals_note(PERMISSION_NEVER, #name, path))
/* These return the error number instead of setting errno. */
#define NEVER_SPAWN(name)                                                                          \
    INTERPOSE(int, name,                                                                           \
              (pid_t *restrict process, const char *restrict path,                                 \
               const posix_spawn_file_actions_t *restrict actions,                                 \
               const posix_spawnattr_t *restrict attributes, char *const arguments[restrict],      \
               char *const environment[restrict]),                                                 \
              (process, path, actions, attributes, arguments, environment),                        \
              outcome == EPERM || outcome == EACCES, refusals_note(PERMISSION_NEVER, #name, path))

NEVER(fork, (void), ())
NEVER_WITH_PATH(execve, (const char *path, char *const arguments[], char *const environment[]),
                (path, arguments, environment))
NEVER_WITH_PATH(execv, (const char *path, char *const arguments[]), (path, arguments))
NEVER_WITH_PATH(execvp, (const char *path, char *const arguments[]), (path, arguments))
NEVER_SPAWN(posix_spawn)
NEVER_SPAWN(posix_spawnp)

NEVER(kill, (pid_t process, int number), (process, number))
NEVER(setsid, (void), ())
NEVER(setpgid, (pid_t process, pid_t group), (process, group))
NEVER(setrlimit, (__rlimit_resource_t which, const struct rlimit *limit), (which, limit))
NEVER(prlimit,
      (pid_t process, __rlimit_resource_t which, const struct rlimit *limit, struct rlimit *old),
      (process, which, limit, old))
NEVER(setrlimit64, (__rlimit_resource_t which, const struct rlimit64 *limit), (which, limit))
NEVER(prlimit64,
      (pid_t process, __rlimit_resource_t which, const struct rlimit64 *limit,
       struct rlimit64 *old),
      (process, which, limit, old))
NEVER(nice, (int more), (more))
NEVER(setpriority, (__priority_which_t which, id_t who, int priority), (which, who, priority))
NEVER(sched_setscheduler, (pid_t process, int policy, const struct sched_param *parameters),
      (process, policy, parameters))
NEVER(sched_setaffinity, (pid_t process, size_t size, const cpu_set_t *processors),
      (process, size, processors))

/* glibc sets ENOMEM when it cannot start the shell. Other errors are mistakes of the caller. */
INTERPOSE(FILE *, popen, (const char *command, const char *mode), (command, mode),
          outcome == NULL && (errno == ENOMEM || was_refused()),
          refusals_note(PERMISSION_NEVER, "popen", ""))

/* The status of system() does not say why it failed; errno does, but only if the call changed it. */
NEXT(system)
INTERPOSED int system(const char *command) {
    int error = errno;
    int outcome;

    if (system_next == NULL)
        find_system();
    errno = 0;
    outcome = system_next(command);
    if (outcome != 0 && was_refused())
        refusals_note(PERMISSION_NEVER, "system", "");
    if (errno == 0)
        errno = error;
    return outcome;
}

NEXT(prctl)
INTERPOSED int prctl(int option, ...) {
    unsigned long values[4];
    va_list more;
    int outcome;

    va_start(more, option);
    for (size_t index = 0; index < sizeof values / sizeof *values; index++)
        values[index] = va_arg(more, unsigned long);
    va_end(more);
    if (prctl_next == NULL)
        find_prctl();
    outcome = prctl_next(option, values[0], values[1], values[2], values[3]);
    if (__builtin_expect(FAILED, 0))
        refusals_note(PERMISSION_NEVER, "prctl", "");
    return outcome;
}

static void note_number(long number) {
    const char *name = seccomp_call_name(seccomp_this_machine(), (int)number);

    if (name != NULL)
        refusals_note(seccomp_call_permission(seccomp_this_machine(), (int)number), name, "");
    else
        refusals_note_number(PERMISSION_NEVER, "system call", number);
}

/* Reads six arguments, as many as any system call has. Reading too many is harmless. */
NEXT(syscall)
INTERPOSED long syscall(long number, ...) {
    bool outer = refusal_is_reported_by_function;
    long values[6];
    va_list more;
    long outcome;

    va_start(more, number);
    for (size_t index = 0; index < sizeof values / sizeof *values; index++)
        values[index] = va_arg(more, long);
    va_end(more);
    if (syscall_next == NULL)
        find_syscall();
    refusal_is_reported_by_function = true;
    outcome =
        syscall_next(number, values[0], values[1], values[2], values[3], values[4], values[5]);
    refusal_is_reported_by_function = outer;
    if (__builtin_expect(FAILED, 0))
        note_number(number);
    return outcome;
}

#endif
