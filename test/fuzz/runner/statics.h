/*
 * Included before every file of the runner. Places static variables where in_memory_forget() finds them, and
 * redirects calls that end the process or allocate memory to the fuzzer.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

_Noreturn void in_memory_exit(int code);
void *in_memory_realloc(void *memory, size_t size);

#define _Exit in_memory_exit
#define realloc in_memory_realloc

#pragma clang section bss = "runner_bss" data = "runner_data"
