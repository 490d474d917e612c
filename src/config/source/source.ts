import { LineCounter, parseDocument, type YAMLError } from 'yaml';
import { excessiveNesting, TOO_DEEP } from './nesting.js';
import type { Layer, Mark } from './mark.js';
import { below, isWithin, type Pointer, segments } from './pointer.js';
import type { Finding, Place, Position, ProblemReport } from './problems.js';
import { Reader } from './reader.js';
import type { JsonObject, JsonValue } from '../types.js';

type ParsedDocument = ReturnType<typeof parseDocument>;

/** Our texts for parser errors whose own text would not help. */
const PARSER_MESSAGES: Partial<Record<YAMLError['code'], string>> = {
  MULTIPLE_DOCS: 'the file contains more than one document',
  NON_STRING_KEY: 'a key must be a word, not an alias, a list or a mapping',
};

const PARSER_HINTS: Partial<Record<YAMLError['code'], string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'a text with ": " in it needs quotes',
  TAB_AS_INDENT: 'use spaces',
};

/** A plain value, and the location of each of its parts. */
export class Source {
  private unresolved: readonly Pointer[] | undefined;

  constructor(
    readonly value: JsonValue,
    readonly marks: ReadonlyMap<Pointer, Mark>,
    /** The pointer of the value in its file, if the value is only a part of the file. */
    readonly prefix: Pointer = '',
  ) {}

  /** The location of a value. For a default, the location of the nearest value around it that is given. */
  valuePosition(pointer: Pointer): Place {
    return this.nearestMark(pointer).value;
  }

  keyPosition(pointer: Pointer): Place {
    const { key, value } = this.nearestMark(pointer);
    return key ?? value;
  }

  /** The value at a pointer; undefined when there is none. */
  at(pointer: Pointer): JsonValue | undefined {
    let value: JsonValue | undefined = this.value;
    for (const segment of segments(pointer)) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
      value = (value as JsonObject)[segment];
    }
    return value;
  }

  /** True for a value from the file, false for a default. */
  isGiven(pointer: Pointer): boolean {
    return this.marks.has(pointer);
  }

  /** How messages describe a value that came from the environment. */
  origin(pointer: Pointer): string | undefined {
    return this.marks.get(pointer)?.origin;
  }

  /**
   * The other reading of a variable that is a whole value: text instead of number or boolean, or the reverse.
   */
  alternative(pointer: Pointer): string | number | boolean | undefined {
    return this.marks.get(pointer)?.alternative;
  }

  /** True for a value that could not be determined. Such a value is reported elsewhere. */
  isUnresolved(pointer: Pointer): boolean {
    return this.marks.get(pointer)?.missing !== undefined;
  }

  hasUnresolved(ancestor: Pointer): boolean {
    this.unresolved ??= [...this.marks.keys()].filter((pointer) => this.isUnresolved(pointer));
    return this.unresolved.some((pointer) => isWithin(pointer, ancestor));
  }

  /** Reports the unset variables. */
  reportMissing(report: ProblemReport): void {
    for (const [pointer, { missing = [], value }] of this.marks) {
      for (const finding of missing) {
        report.add('BW_CONFIG_VARIABLE', this.prefix + pointer, value, finding);
      }
    }
  }

  /** Extracts a part as its own source, attributed to `layer`. */
  part(ancestor: Pointer, layer: Layer): Source {
    const marks = new Map<Pointer, Mark>();
    const visit = (pointer: Pointer, value: JsonValue): void => {
      const mark = this.marks.get(ancestor + pointer);
      if (mark !== undefined) marks.set(pointer, { ...mark, layer });
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) visit(below(pointer, key), inner);
    };
    const value = this.at(ancestor) ?? null;
    visit('', value);
    return new Source(value, marks, this.prefix + ancestor);
  }

  private nearestMark(pointer: Pointer): Mark {
    for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
      const mark = this.marks.get(at);
      if (mark !== undefined) return mark;
      if (at === '') throw new TypeError('a source without a mark for its value');
    }
  }
}

export interface SourceSettings {
  /** The name of the file, flag or variable. */
  readonly name: string;
  readonly layer: Layer;
  /** The environment variables for `${VARIABLES}`. */
  readonly environment: NodeJS.ProcessEnv;
  readonly report: ProblemReport;
  /** The pointer of the text's value in the configuration; default: the whole configuration. */
  readonly pointer?: Pointer;
}

/**
 * Reads YAML 1.2 as JSON values and fills in variables. Problems are added to the report. Unset variables are
 * not reported yet, because another layer may replace them.
 * @returns undefined when the text is not well-formed
 */
export function readSource(text: string, settings: SourceSettings): Source | undefined {
  const { name, layer, environment, report, pointer = '' } = settings;
  const lines = new LineCounter();
  const inFile = layer.kind === 'file';
  const at = ({ line, column }: Position): Place =>
    inFile ? { file: name, line, column } : { file: name, line: null, column: null };
  const place = (offset: number): Place => at(linePosition(lines, offset));

  const nesting = excessiveNesting(text);
  if (nesting !== undefined) {
    report.add('BW_CONFIG_SYNTAX', pointer, at(nesting), { message: TOO_DEEP });
    return undefined;
  }
  const document = parse(text, lines);
  const found = faults(document, text);
  for (const { offset, finding } of found) report.add('BW_CONFIG_SYNTAX', pointer, place(offset), finding);
  if (found.length > 0) return undefined;
  const reader = new Reader({ environment, report, layer, place });
  const value = reader.read(document.contents, pointer, null);
  return reader.malformed ? undefined : new Source(value, reader.marks);
}

function parse(text: string, lines: LineCounter): ParsedDocument {
  return parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    // The reader checks this: the library would compare every key with every other.
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
}

/** Only the first parser error: later ones are mostly its consequence. */
function faults(document: ParsedDocument, text: string): { offset: number; finding: Finding }[] {
  return [...document.errors.slice(0, 1), ...document.warnings].map((fault) => {
    const offset = fault.pos[0];
    const unquoted = text.slice(offset - 1, offset + 1) === '${';
    const hint = unquoted ? 'inside { } and [ ] a variable needs quotes' : PARSER_HINTS[fault.code];
    return { offset, finding: { message: PARSER_MESSAGES[fault.code] ?? sentence(fault.message), hint } };
  });
}

/** The parser's message in our style. The quoted piece of the file is removed, because it may be a secret. */
function sentence(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/: "[^]*$/, '');
}

function linePosition(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
