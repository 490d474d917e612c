import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DebugReader } from './debug-reader.js';

/** Standard opcodes of a line program (DWARF 5, 6.2.5.2). */
const OP = {
  extended: 0,
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  constAddPc: 8,
  fixedAdvancePc: 9,
} as const;
const EXTENDED = { endSequence: 1, setAddress: 2 } as const;
/** Opcodes run in one turn of the event loop. */
const OPCODES_PER_TURN = 8192;
const OFFSET_64 = 0xffff_ffff;

/** A unit of .debug_line, which belongs to one source file and its headers. */
export interface LineUnit {
  readonly begin: number;
  readonly end: number;
  readonly version: number;
  /** Whether offsets have 8 bytes. */
  readonly is64: boolean;
  /** The tables of directories and files. */
  readonly tables: DebugReader;
  readonly program: DebugReader;
  readonly instructionLength: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Number of arguments of each standard opcode. */
  readonly argumentCounts: readonly number[];
}

/** The row that covers an offset. */
export interface FoundRow {
  readonly offset: number;
  readonly file: number;
  readonly line: number;
}

/**
 * Reads the head of the unit at the reader's position.
 * @returns null when the unit has no version that is known
 * @throws UnreadableLibrary
 */
export function readUnit(reader: DebugReader): LineUnit | null {
  const begin = reader.position;
  let length = reader.u32();
  const is64 = length === OFFSET_64;
  if (is64) length = reader.u64();
  const end = reader.position + length;
  reader.at(reader.position).skip(length);
  const version = reader.u16();
  if (version < 2 || version > 5) return null;
  if (version >= 5) reader.skip(2);
  const headerLength = reader.offset(is64);
  const program = reader.at(reader.position + headerLength);
  const instructionLength = reader.u8();
  // Operations of one instruction, where instructions hold several; and whether rows begin statements.
  reader.skip(version >= 4 ? 2 : 1);
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  const argumentCounts = Array.from({ length: Math.max(opcodeBase - 1, 0) }, () => reader.u8());
  const tables = reader.at(reader.position);
  const head = { begin, end, version, is64, tables, program, instructionLength };
  return { ...head, lineBase, lineRange, opcodeBase, argumentCounts };
}

/** Runs the unit's program, and finds the rows that cover offsets. Ends early when it is late. */
export async function findRows(
  unit: LineUnit,
  offsets: ReadonlySet<number>,
  isLate: () => boolean,
): Promise<FoundRow[]> {
  const { program, end } = unit;
  const machine = new LineMachine(unit, offsets);
  for (let opcodes = 1; program.position < end; opcodes += 1) {
    machine.step();
    if (opcodes % OPCODES_PER_TURN !== 0) continue;
    await nextTurn();
    if (isLate()) break;
  }
  return machine.found;
}

class LineMachine {
  readonly found: FoundRow[] = [];
  private address = 0;
  private file = 1;
  private line = 1;
  /** The row before; null at the begin of a sequence. */
  private row: { readonly address: number; readonly file: number; readonly line: number } | null = null;
  /** Code that the linker removed is said to begin at 0. */
  private isRemoved = true;
  private readonly offsets: readonly number[];
  private readonly lowest: number;
  private readonly highest: number;

  constructor(
    private readonly unit: LineUnit,
    offsets: ReadonlySet<number>,
  ) {
    this.offsets = [...offsets];
    this.lowest = Math.min(...this.offsets);
    this.highest = Math.max(...this.offsets);
  }

  step(): void {
    const { program, opcodeBase } = this.unit;
    const opcode = program.u8();
    if (opcode >= opcodeBase) this.special(opcode);
    else if (opcode === OP.extended) this.extended();
    else this.standard(opcode);
  }

  private special(opcode: number): void {
    const { opcodeBase, lineBase, lineRange } = this.unit;
    const adjusted = opcode - opcodeBase;
    this.advance(lineRange === 0 ? 0 : Math.floor(adjusted / lineRange));
    this.line += lineBase + (lineRange === 0 ? 0 : adjusted % lineRange);
    this.addRow();
  }

  private standard(opcode: number): void {
    const { program, opcodeBase, lineRange, argumentCounts } = this.unit;
    if (opcode === OP.copy) this.addRow();
    else if (opcode === OP.advancePc) this.advance(program.uleb());
    else if (opcode === OP.advanceLine) this.line += program.sleb();
    else if (opcode === OP.setFile) this.file = program.uleb();
    else if (opcode === OP.constAddPc)
      this.advance(lineRange === 0 ? 0 : Math.floor((255 - opcodeBase) / lineRange));
    else if (opcode === OP.fixedAdvancePc) this.address += program.u16();
    else for (let count = argumentCounts[opcode - 1] ?? 0; count > 0; count -= 1) program.uleb();
  }

  private extended(): void {
    const { program } = this.unit;
    const length = program.uleb();
    const next = program.position + length;
    const opcode = length > 0 ? program.u8() : 0;
    if (opcode === EXTENDED.setAddress) {
      this.address = length === 9 ? program.u64() : program.u32();
      this.isRemoved = this.address === 0;
    } else if (opcode === EXTENDED.endSequence) {
      this.addRow();
      [this.address, this.file, this.line] = [0, 1, 1];
      this.row = null;
      this.isRemoved = true;
    }
    program.position = next;
  }

  private advance(operations: number): void {
    this.address += operations * this.unit.instructionLength;
  }

  private addRow(): void {
    const { row, address } = this;
    const isNear = row !== null && row.address <= this.highest && address > this.lowest;
    if (isNear && !this.isRemoved && row.address < address) {
      for (const offset of this.offsets)
        if (offset >= row.address && offset < address)
          this.found.push({ offset, file: row.file, line: row.line });
    }
    this.row = { address, file: this.file, line: this.line };
  }
}
