/* SPDX-License-Identifier: MIT */
/*
 * bench/plugin/bench_plugin.c for Extism, compiled to WebAssembly: reads the request and answers with
 * the same 45 bytes. Imports only the host functions of Extism that it needs.
 */
typedef unsigned char u8;
typedef unsigned long long u64;

#define EXTISM(name) __attribute__((import_module("extism:host/env"), import_name(#name))) name

u64 EXTISM(input_length)(void);
u8 EXTISM(input_load_u8)(u64 offset);
u64 EXTISM(input_load_u64)(u64 offset);
u64 EXTISM(alloc)(u64 length);
void EXTISM(store_u8)(u64 offset, u8 value);
void EXTISM(store_u64)(u64 offset, u64 value);
void EXTISM(output_set)(u64 offset, u64 length);

static const char answer[] = "{\"city\":\"Lisbon\",\"celsius\":21.5,\"sky\":\"fair\"}";
static u8 input[64 * 1024];
static volatile u64 bytes_seen;

static void load_input(u64 length) {
    u64 at = 0;

    for (; at + 8 <= length; at += 8)
        __builtin_memcpy(input + at, &(u64){input_load_u64(at)}, 8);
    for (; at < length; at++)
        input[at] = input_load_u8(at);
}

static void store_answer(void) {
    u64 length = sizeof answer - 1, offset = alloc(length), at = 0, word;

    for (; at + 8 <= length; at += 8) {
        __builtin_memcpy(&word, answer + at, 8);
        store_u64(offset + at, word);
    }
    for (; at < length; at++)
        store_u8(offset + at, (u8)answer[at]);
    output_set(offset, length);
}

__attribute__((export_name("process_endpoint"))) int process_endpoint(void) {
    u64 length = input_length();

    if (length > sizeof input)
        return 1;
    load_input(length);
    bytes_seen += length;
    store_answer();
    return 0;
}
