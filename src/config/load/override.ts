import type { Layer, Mark } from '../source/mark.js';
import { below, type Pointer } from '../source/pointer.js';
import type { Place, ProblemReport } from '../source/problems.js';
import { readSource, Source } from '../source/source.js';
import type { JsonValue } from '../types.js';

/** A single value from outside the file, such as `server.port=9000`. */
export interface Override {
  /** The path as messages show it, `=`, and the value in YAML. */
  readonly assignment: string;
  /** The flag or variable that contains the assignment. */
  readonly layer: Extract<Layer, { kind: 'flag' | 'variable' }>;
}

/** One key: a word, or any text in brackets and quotes. */
const SEGMENT = /^(?:\.?([A-Za-z0-9_-]+)|\["((?:[^"\\]|\\.)*)"\])/;

/** Parses an override into a source that can be merged. Reports a malformed one and returns undefined. */
export function readOverride(
  { assignment, layer }: Override,
  environment: NodeJS.ProcessEnv,
  report: ProblemReport,
): Source | undefined {
  const place: Place = { file: layer.name, line: null, column: null };
  const parsed = parseAssignment(assignment);
  if (typeof parsed === 'string') {
    report.add('BW_CONFIG_INVALID', '', place, {
      message: parsed,
      hint: 'write PATH=VALUE, such as server.port=9000',
    });
    return undefined;
  }
  const { path, text } = parsed;
  const pointer = path.reduce<Pointer>(below, '');
  const source = readSource(text, { name: layer.name, layer, environment, report, pointer });
  if (source === undefined) return undefined;
  const mark: Mark = { key: place, value: place, layer };
  const ancestors = path.map((_, depth) => path.slice(0, depth).reduce<Pointer>(below, ''));
  const whole = path.reduceRight<JsonValue>((inner, key) => Object.fromEntries([[key, inner]]), source.value);
  return new Source(whole, new Map([...ancestors.map((at) => [at, mark] as const), ...source.marks]));
}

/** The keys and the YAML value of an assignment, or a description of the mistake. */
function parseAssignment(assignment: string): { path: string[]; text: string } | string {
  const path: string[] = [];
  let rest = assignment;
  for (;;) {
    const [matched, word, quoted] = SEGMENT.exec(rest) ?? [];
    if (matched === undefined || (path.length === 0 && matched.startsWith('.'))) break;
    const key = word ?? unquoted(quoted ?? '');
    if (key === undefined) break;
    path.push(key);
    rest = rest.slice(matched.length);
    if (rest.startsWith('=')) return { path, text: rest.slice(1) };
    if (word !== undefined && rest !== '' && !/^[.[]/.test(rest)) break;
  }
  if (/^\[[0-9]+\]/.test(rest)) return 'a single entry of a list cannot be set: set the whole list';
  // The text is not shown: without a "=" it may be a secret value.
  return assignment.includes('=') ? 'the path is malformed' : 'the "=" is missing';
}

/** Undefined for a text that is not valid inside JSON quotes. */
function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
}
