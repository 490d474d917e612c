import { isAlias, isMap, isScalar, isSeq, type LineCounter, type YAMLMap, type YAMLSeq } from 'yaml';
import { retype, substitute, type SubstitutionFault } from './environment.js';
import { DEPTH_MAX, TOO_DEEP } from './nesting.js';
import { below, type Pointer, quote } from './pointer.js';
import type { ConfigErrorCode, Finding, Position, ProblemReport } from './problems.js';
import type { JsonValue } from './types.js';

/** Values in the file, those that aliases repeat included. */
const VALUES_MAX = 100_000;

/** What is known of one value of the file. */
export interface Mark {
  /** Offsets in the text. */
  readonly key: number | null;
  readonly value: number;
  /** Set when the content came from the environment and must not be shown. */
  readonly origin?: string;
  /** The other reading of a variable, as text or as number or boolean. */
  readonly alternative?: string | number | boolean;
}

/** Walks the nodes of a document once, in the order of the file. */
export class Reader {
  readonly marks = new Map<Pointer, Mark>();
  readonly unresolved: Pointer[] = [];
  malformed = false;
  private readonly anchors = new Map<string, unknown>();
  private values = 0;
  private depth = 0;
  private aliasDepth = 0;

  constructor(
    private readonly environment: NodeJS.ProcessEnv,
    private readonly report: ProblemReport,
    private readonly lines: LineCounter,
  ) {}

  read(node: unknown, pointer: Pointer, key: number | null): JsonValue {
    const mark: Mark = { key, value: offsetOf(node) ?? key ?? 0 };
    this.marks.set(pointer, mark);
    this.values += 1;
    if (this.values > VALUES_MAX) {
      if (this.values === VALUES_MAX + 1) {
        this.reject(pointer, mark.value, { message: `more than ${VALUES_MAX} values` });
      }
      return null;
    }
    if (this.depth >= DEPTH_MAX) {
      this.reject(pointer, mark.value, { message: TOO_DEEP });
      return null;
    }
    this.depth += 1;
    const value = this.content(node, pointer, mark);
    this.depth -= 1;
    return value;
  }

  private content(node: unknown, pointer: Pointer, mark: Mark): JsonValue {
    if (isAlias(node)) return this.alias(node.source, pointer, mark);
    if (
      this.aliasDepth === 0 &&
      (isScalar(node) || isMap(node) || isSeq(node)) &&
      node.anchor !== undefined
    ) {
      this.anchors.set(node.anchor, node);
    }
    if (isMap(node)) return this.mapping(node, pointer);
    if (isSeq(node)) return this.list(node, pointer);
    if (!isScalar(node)) return null;
    const value = node.value;
    if (typeof value === 'string') return this.text(value, node.type === 'PLAIN', pointer, mark);
    if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
    if (typeof value === 'number') {
      this.reject(pointer, mark.value, { expected: 'a finite number', found: String(node.source ?? value) });
    }
    return null;
  }

  private alias(name: string, pointer: Pointer, mark: Mark): JsonValue {
    if (!this.anchors.has(name)) {
      this.reject(pointer, mark.value, { message: `the alias *${name} has no anchor &${name} before it` });
      return null;
    }
    this.aliasDepth += 1;
    const value = this.read(this.anchors.get(name), pointer, mark.key);
    this.aliasDepth -= 1;
    return value;
  }

  private mapping(node: YAMLMap, pointer: Pointer): JsonValue {
    // Entries, not assignments: a key may be called __proto__.
    const entries = new Map<string, JsonValue>();
    for (const pair of node.items) {
      // The parser makes every key a text.
      const name = isScalar<string>(pair.key) ? pair.key.value : String(pair.key);
      const at = below(pointer, name);
      const offset = offsetOf(pair.key);
      if (entries.has(name)) {
        const first = linePosition(this.lines, this.marks.get(at)?.key ?? 0);
        this.reject(at, offset ?? 0, { message: `the key is already on line ${first.line}` });
        continue;
      }
      // Reserved before the value is read, which may hold an alias of this very mapping.
      entries.set(name, null);
      entries.set(name, this.read(pair.value, at, offset));
    }
    return Object.fromEntries(entries);
  }

  private list(node: YAMLSeq, pointer: Pointer): JsonValue {
    return node.items.map((item, index) => this.read(item, below(pointer, index), null));
  }

  private text(text: string, plain: boolean, pointer: Pointer, mark: Mark): JsonValue {
    const result = substitute(text, this.environment);
    if (result.kind === 'unchanged') return text;
    if (result.kind === 'escaped') return result.text;
    if (result.kind === 'faulty') {
      this.unresolved.push(pointer);
      for (const fault of result.faults) {
        this.add('BW_CONFIG_VARIABLE', pointer, mark.value, explainFault(fault));
      }
      return null;
    }
    const { text: filled, origin, whole } = result.substitution;
    const typed = whole ? retype(filled) : filled;
    const [value, alternative] = plain ? [typed, filled] : [filled, typed];
    this.marks.set(pointer, value === alternative ? { ...mark, origin } : { ...mark, origin, alternative });
    return value;
  }

  private reject(pointer: Pointer, offset: number, finding: Finding): void {
    this.malformed = true;
    this.add('BW_CONFIG_SYNTAX', pointer, offset, finding);
  }

  private add(code: ConfigErrorCode, pointer: Pointer, offset: number, finding: Finding): void {
    this.report.add(code, pointer, linePosition(this.lines, offset), finding);
  }
}

function offsetOf(node: unknown): number | null {
  return isScalar(node) || isAlias(node) || isMap(node) || isSeq(node) ? (node.range?.[0] ?? null) : null;
}

function explainFault(fault: SubstitutionFault): Finding {
  return fault.kind === 'missing'
    ? {
        message: `the variable ${fault.name} is not set`,
        hint: `set it, or give a default: \${${fault.name}:-default}`,
      }
    : {
        expected: '${NAME} or ${NAME:-default}',
        found: quote(fault.reference),
        hint: 'write $${ for the characters ${',
      };
}

/** Counted from 1. */
export function linePosition(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
