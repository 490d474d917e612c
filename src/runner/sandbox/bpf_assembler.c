/* SPDX-License-Identifier: MIT */
#include "sandbox/bpf_assembler.h"

/* Instruction classes and modes of classic BPF, spelled out as the kernel documents them. */
enum {
    CODE_LOAD_WORD = 0x20,
    CODE_AND = 0x54,
    CODE_JUMP = 0x05,
    CODE_JUMP_CLASS = 0x05,
    CODE_RETURN = 0x06
};

#define UNPLACED SIZE_MAX

static void emit(BpfProgram *program, BpfInstruction instruction) {
    if (program->length == BPF_PROGRAM_MAX) {
        program->overflown = true;
        return;
    }
    program->code[program->length++] = instruction;
}

void bpf_begin(BpfProgram *program) {
    program->length = 0;
    program->labels = 0;
    program->overflown = false;
}

BpfLabel bpf_label(BpfProgram *program) {
    if (program->labels == BPF_LABELS_MAX) {
        program->overflown = true;
        return 0;
    }
    program->places[program->labels] = UNPLACED;
    return program->labels++;
}

void bpf_place(BpfProgram *program, BpfLabel label) {
    program->places[label] = program->length;
}

void bpf_load(BpfProgram *program, uint32_t offset) {
    emit(program, (BpfInstruction){.code = CODE_LOAD_WORD, .operand = offset});
}

void bpf_and(BpfProgram *program, uint32_t mask) {
    emit(program, (BpfInstruction){.code = CODE_AND, .operand = mask});
}

/* The operand is the label's number until bpf_finish() replaces it by the offset. */
void bpf_jump(BpfProgram *program, BpfLabel label) {
    emit(program, (BpfInstruction){.code = CODE_JUMP, .operand = (uint32_t)label});
}

/* A conditional jump reaches only 255 instructions. So it skips an unconditional one, which reaches any. */
void bpf_jump_if(BpfProgram *program, enum bpf_condition condition, uint32_t operand,
                 BpfLabel label) {
    emit(program, (BpfInstruction){.code = (uint16_t)(CODE_JUMP_CLASS | condition),
                                   .if_false = 1,
                                   .operand = operand});
    bpf_jump(program, label);
}

void bpf_return(BpfProgram *program, uint32_t value) {
    emit(program, (BpfInstruction){.code = CODE_RETURN, .operand = value});
}

bool bpf_finish(BpfProgram *program) {
    if (program->overflown || program->length == 0 ||
        program->code[program->length - 1].code != CODE_RETURN)
        return false;
    for (size_t index = 0; index < program->length; index++) {
        BpfInstruction *instruction = &program->code[index];
        size_t place;

        if (instruction->code != CODE_JUMP)
            continue;
        place = program->places[instruction->operand];
        if (place == UNPLACED || place <= index || place >= program->length)
            return false;
        instruction->operand = (uint32_t)(place - index - 1);
    }
    return true;
}
