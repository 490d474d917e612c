import { isAlias, isMap, isScalar, isSeq, type YAMLMap, type YAMLSeq } from 'yaml';
import { retype, substitute, type SubstitutionFault } from './environment.js';
import { DEPTH_MAX, TOO_DEEP } from './nesting.js';
import { below, type Pointer, quote } from './pointer.js';
import type { Layer, Mark } from './mark.js';
import type { ConfigErrorCode, Finding, Place, ProblemReport } from './problems.js';
import type { JsonValue } from '../types.js';
import { jsonNumber, keysToKeep } from './written.js';

/** Maximum number of values in a file, with repetitions by aliases counted. */
const VALUES_MAX = 100_000;

export interface ReaderSettings {
  /** The environment variables for `${VARIABLES}`. */
  readonly environment: NodeJS.ProcessEnv;
  readonly report: ProblemReport;
  readonly layer: Layer;
  /** The location of an offset in the text. */
  place(offset: number): Place;
}

/** Visits each node of a document once, in the order of the file. */
export class Reader {
  readonly marks = new Map<Pointer, Mark>();
  malformed = false;
  private readonly anchors = new Map<string, unknown>();
  private values = 0;
  private depth = 0;
  private aliasDepth = 0;

  constructor(private readonly settings: ReaderSettings) {}

  read(node: unknown, pointer: Pointer, key: Place | null): JsonValue {
    const { layer } = this.settings;
    const mark: Mark = { key, value: this.placeOf(node) ?? key ?? this.settings.place(0), layer };
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
    if (isMap(node)) return this.mapping(node, pointer, mark);
    if (isSeq(node)) return this.list(node, pointer);
    if (!isScalar(node)) return null;
    const value = node.value;
    if (typeof value === 'string') return this.text(value, node.type === 'PLAIN', pointer, mark);
    if (typeof value === 'boolean') return value;
    return typeof value === 'number' ? this.number(value, node.source ?? String(value), pointer, mark) : null;
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

  private number(value: number, source: string, pointer: Pointer, mark: Mark): JsonValue {
    if (!Number.isFinite(value)) {
      this.reject(pointer, mark.value, { expected: 'a finite number', found: source });
      return null;
    }
    const number = jsonNumber(source);
    if (number !== JSON.stringify(value)) this.marks.set(pointer, { ...mark, number });
    return value;
  }

  private mapping(node: YAMLMap, pointer: Pointer, mark: Mark): JsonValue {
    // A Map and not an object: a key may be called __proto__.
    const entries = new Map<string, JsonValue>();
    for (const pair of node.items) {
      // The parser converts every key to a text.
      const name = isScalar<string>(pair.key) ? pair.key.value : String(pair.key);
      const at = below(pointer, name);
      const place = this.placeOf(pair.key) ?? this.settings.place(0);
      if (entries.has(name)) {
        const first = this.marks.get(at)?.key?.line ?? 1;
        this.reject(at, place, { message: `the key is already on line ${first}` });
        continue;
      }
      // Reserve the key before reading the value: the value may contain an alias of this mapping.
      entries.set(name, null);
      entries.set(name, this.read(pair.value, at, place));
    }
    const keys = keysToKeep([...entries.keys()]);
    if (keys !== undefined) this.marks.set(pointer, { ...mark, keys });
    return Object.fromEntries(entries);
  }

  private list(node: YAMLSeq, pointer: Pointer): JsonValue {
    return node.items.map((item, index) => this.read(item, below(pointer, index), null));
  }

  private text(text: string, plain: boolean, pointer: Pointer, mark: Mark): JsonValue {
    const result = substitute(text, this.settings.environment);
    if (result.kind === 'unchanged') return text;
    if (result.kind === 'escaped') return result.text;
    if (result.kind === 'faulty') {
      const missing = result.faults.filter(({ kind }) => kind === 'missing').map(explainFault);
      this.marks.set(pointer, { ...mark, template: text, missing });
      for (const fault of result.faults) {
        if (fault.kind === 'malformed') {
          this.add('BW_CONFIG_VARIABLE', pointer, mark.value, explainFault(fault));
        }
      }
      return null;
    }
    const { text: filled, origin, whole, names } = result.substitution;
    const typed = whole ? retype(filled) : filled;
    const [value, alternative] = plain ? [typed, filled] : [filled, typed];
    const filledMark = { ...mark, origin, template: text, variables: names };
    this.marks.set(pointer, value === alternative ? filledMark : { ...filledMark, alternative });
    return value;
  }

  private placeOf(node: unknown): Place | null {
    const positioned = isScalar(node) || isAlias(node) || isMap(node) || isSeq(node);
    const offset = positioned ? node.range?.[0] : undefined;
    return offset === undefined ? null : this.settings.place(offset);
  }

  private reject(pointer: Pointer, place: Place, finding: Finding): void {
    this.malformed = true;
    this.add('BW_CONFIG_SYNTAX', pointer, place, finding);
  }

  private add(code: ConfigErrorCode, pointer: Pointer, place: Place, finding: Finding): void {
    this.settings.report.add(code, pointer, place, finding);
  }
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
