/*
 * Writes classic BPF programs with labels instead of counted offsets. Jumps only lead forward, so a
 * finished program always ends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_BPF_ASSEMBLER_H
#define BACKWORKS_RUNNER_BPF_ASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BPF_PROGRAM_MAX = 4096, /* the kernel's limit */
    BPF_LABELS_MAX = 1024
};

/* Laid out as struct sock_filter. */
typedef struct BpfInstruction {
    uint16_t code;
    uint8_t if_true;
    uint8_t if_false;
    uint32_t operand;
} BpfInstruction;

typedef struct BpfProgram {
    BpfInstruction code[BPF_PROGRAM_MAX];
    size_t length;
    size_t places[BPF_LABELS_MAX]; /* the instruction each label refers to, once it is placed */
    size_t labels;
    bool overflown;
} BpfProgram;

typedef size_t BpfLabel;

/* How the accumulator is compared with a constant; both are unsigned. */
enum bpf_condition {
    BPF_EQUAL = 0x10,
    BPF_AT_LEAST = 0x30,
    BPF_ANY_BIT = 0x40 /* both have a set bit in common */
};

void bpf_begin(BpfProgram *program);

/* Makes a label that is not placed yet. */
BpfLabel bpf_label(BpfProgram *program);

/* Places the label before the next instruction. */
void bpf_place(BpfProgram *program, BpfLabel label);

/* Loads 32 bits of the data, at a byte offset, into the accumulator. */
void bpf_load(BpfProgram *program, uint32_t offset);

/* Clears the bits of the accumulator that are not in the mask. */
void bpf_and(BpfProgram *program, uint32_t mask);

void bpf_jump(BpfProgram *program, BpfLabel label);
void bpf_jump_if(BpfProgram *program, enum bpf_condition condition, uint32_t operand,
                 BpfLabel label);
void bpf_return(BpfProgram *program, uint32_t value);

/* Turns labels into offsets. False when the program is too long or a jump does not lead forward. */
bool bpf_finish(BpfProgram *program);

#endif
