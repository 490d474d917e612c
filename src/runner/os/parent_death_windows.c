/*
 * Windows has no parent processes, only process ids. With parent 0 nothing is watched. When the server
 * ends and another process gets its id at once, this goes unnoticed.
 *
 * SPDX-License-Identifier: MIT
 */
#include <windows.h>

#include "os/parent_death.h"
#include "protocol.h"

static DWORD WINAPI wait_for_exit(LPVOID process) {
    (void)WaitForSingleObject((HANDLE)process, INFINITE);
    (void)TerminateProcess(GetCurrentProcess(), RUNNER_EXIT_ORPHANED);
    return 0;
}

bool parent_death_arm(long parent) {
    HANDLE process;
    HANDLE thread;

    if (parent == 0)
        return true;
    process = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)parent);
    if (process == NULL)
        return false;
    thread = CreateThread(NULL, 0, wait_for_exit, process, 0, NULL);
    if (thread == NULL)
        return false;
    (void)CloseHandle(thread);
    return true;
}
