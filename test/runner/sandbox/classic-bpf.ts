/** One instruction of classic BPF, as `backworks-runner --print-filter` writes it. */
export interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly operand: number;
}

/** What the kernel passes to a filter about a system call. Arguments are 64 bits wide. */
export interface SystemCall {
  readonly architecture: number;
  readonly number: number;
  readonly args?: readonly (number | bigint)[];
}

const LOAD_WORD = 0x20;
const AND = 0x54;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;
const CONDITIONAL = new Set([JUMP_EQUAL, JUMP_GREATER, JUMP_AT_LEAST, JUMP_ANY_BIT]);
const DATA_SIZE = 64;

/** @throws Error when a line is not an instruction */
export function parseProgram(text: string): Instruction[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const numbers = line.split(' ').map(Number);
      if (numbers.length !== 4 || !numbers.every(Number.isInteger)) throw new Error(`not BPF: ${line}`);
      const [code, ifTrue, ifFalse, operand] = numbers as [number, number, number, number];
      return { code, ifTrue, ifFalse, operand };
    });
}

/** struct seccomp_data of a little-endian machine. */
export function encode({ architecture, number, args = [] }: SystemCall): DataView {
  const data = new DataView(new ArrayBuffer(DATA_SIZE));
  data.setUint32(0, number >>> 0, true);
  data.setUint32(4, architecture, true);
  args.forEach((value, index) => data.setBigUint64(16 + 8 * index, BigInt.asUintN(64, BigInt(value)), true));
  return data;
}

/**
 * Runs a program as the kernel does.
 * @returns the value of the RET it reaches
 * @throws Error when it leaves the program, reads outside the data or has an unknown instruction
 */
export function run(program: readonly Instruction[], data: DataView): number {
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    const instruction = program[at];
    if (instruction === undefined) throw new Error(`the program ran out at ${at}`);
    const { code, operand } = instruction;
    if (code === RETURN) return operand;
    if (code === LOAD_WORD) accumulator = data.getUint32(operand, true);
    else if (code === AND) accumulator = (accumulator & operand) >>> 0;
    else if (code === JUMP) at += operand;
    else if (CONDITIONAL.has(code))
      at += holds(code, accumulator, operand) ? instruction.ifTrue : instruction.ifFalse;
    else throw new Error(`unknown instruction ${code} at ${at}`);
  }
}

function holds(code: number, accumulator: number, operand: number): boolean {
  if (code === JUMP_EQUAL) return accumulator === operand;
  if (code === JUMP_GREATER) return accumulator > operand;
  if (code === JUMP_AT_LEAST) return accumulator >= operand;
  return (accumulator & operand) !== 0;
}

/** Faults for which the kernel's own check would refuse a program. */
export function findFaults(program: readonly Instruction[]): string[] {
  const faults = program.flatMap(({ code, ifTrue, ifFalse, operand }, at) => {
    const targets =
      code === JUMP ? [operand] : CONDITIONAL.has(code) ? [ifTrue, ifFalse] : code === RETURN ? [] : [0];
    const found = targets
      .filter((offset) => at + 1 + offset >= program.length)
      .map((offset) => `instruction ${at} goes ${offset} further, past the end`);
    if (code === LOAD_WORD && (operand % 4 !== 0 || operand >= DATA_SIZE))
      found.push(`instruction ${at} loads from ${operand}`);
    return found;
  });
  if (program.length > 4096) faults.push(`${program.length} instructions`);
  return faults;
}
