import { LineCounter, parseDocument, type YAMLError } from 'yaml';
import { excessiveNesting, TOO_DEEP } from './nesting.js';
import { isWithin, type Pointer } from './pointer.js';
import type { Position, ProblemReport } from './problems.js';
import { linePosition, type Mark, Reader } from './reader.js';
import type { JsonValue } from './types.js';

type ParsedDocument = ReturnType<typeof parseDocument>;

/** Where the parser's own words would not help the author of a configuration. */
const PARSER_MESSAGES: Partial<Record<YAMLError['code'], string>> = {
  MULTIPLE_DOCS: 'the file holds more than one document',
  NON_STRING_KEY: 'a key is a word, not an alias, a list or a mapping',
};

/** The plain value of a file, and where each part of it stands. */
export class Source {
  constructor(
    readonly value: JsonValue,
    private readonly marks: ReadonlyMap<Pointer, Mark>,
    private readonly unresolved: readonly Pointer[],
    private readonly lines: LineCounter,
  ) {}

  /** The position of a value; of the nearest enclosing one for a value the file does not have. */
  valuePosition(pointer: Pointer): Position {
    return linePosition(this.lines, this.mark(pointer)?.value ?? 0);
  }

  keyPosition(pointer: Pointer): Position {
    const mark = this.mark(pointer);
    return linePosition(this.lines, mark?.key ?? mark?.value ?? 0);
  }

  /** True for a value of the file, false for a default. */
  isGiven(pointer: Pointer): boolean {
    return this.marks.has(pointer);
  }

  /** How messages name a value that came from the environment. */
  origin(pointer: Pointer): string | undefined {
    return this.marks.get(pointer)?.origin;
  }

  /** The other reading of a variable that is a value of its own: the text for a number, or the reverse. */
  alternative(pointer: Pointer): string | number | boolean | undefined {
    return this.marks.get(pointer)?.alternative;
  }

  /** True for a value that could not be determined, which has been reported. */
  isUnresolved(pointer: Pointer): boolean {
    return this.unresolved.includes(pointer);
  }

  hasUnresolved(ancestor: Pointer): boolean {
    return this.unresolved.some((pointer) => isWithin(pointer, ancestor));
  }

  private mark(pointer: Pointer): Mark | undefined {
    for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
      const mark = this.marks.get(at);
      if (mark !== undefined || at === '') return mark;
    }
  }
}

/**
 * Reads YAML 1.2 as JSON values with the variables of `environment` filled in. Problems go to `report`.
 * @throws ConfigError when the text is not well-formed; then there is nothing to go on with.
 */
export function readSource(text: string, environment: NodeJS.ProcessEnv, report: ProblemReport): Source {
  const nesting = excessiveNesting(text);
  if (nesting !== undefined) report.add('BW_CONFIG_SYNTAX', '', nesting, { message: TOO_DEEP });
  report.throwIfAny();
  const lines = new LineCounter();
  const document = parse(text, lines);
  reportFaults(document, text, lines, report);
  const reader = new Reader(environment, report, lines);
  const value = reader.read(document.contents, '', null);
  if (reader.malformed) report.throwIfAny();
  return new Source(value, reader.marks, reader.unresolved, lines);
}

function parse(text: string, lines: LineCounter): ParsedDocument {
  return parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    // Checked by the reader: the library compares every key with every other.
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
}

/** Of the parser's errors only the first: what follows is mostly its consequence. */
function reportFaults(
  document: ParsedDocument,
  text: string,
  lines: LineCounter,
  report: ProblemReport,
): void {
  for (const fault of [...document.errors.slice(0, 1), ...document.warnings]) {
    const offset = fault.pos[0];
    const unquoted = text.slice(offset - 1, offset + 1) === '${';
    const hint = unquoted ? 'inside { } and [ ] a variable needs quotes' : undefined;
    const message = PARSER_MESSAGES[fault.code] ?? sentence(fault.message);
    report.add('BW_CONFIG_SYNTAX', '', linePosition(lines, offset), { message, hint });
  }
  report.throwIfAny();
}

/** The parser's message in our style, without the piece of the file it may quote: it may be a secret. */
function sentence(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/: "[^]*$/, '');
}
