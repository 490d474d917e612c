import { Document, Pair, Scalar, type ScalarTag, YAMLMap, YAMLSeq } from 'yaml';
import { isMapping } from '../source/merge.js';
import { below, type Pointer } from '../source/pointer.js';
import { formatOrigin, originOf, shownConfig } from './shown.js';
import type { Source } from '../source/source.js';
import { orderedKeys } from '../source/written.js';
import type { JsonValue } from '../types.js';

/**
 * A checked configuration as YAML with the same meaning, with secrets hidden.
 * @param origins adds a comment after each value that says where the value came from
 */
export function printConfig(source: Source, { origins }: { readonly origins: boolean }): string {
  const node = (pointer: Pointer, value: JsonValue): Scalar | YAMLMap | YAMLSeq => {
    const made = isMapping(value)
      ? mapping(
          orderedKeys(value, source.marks.get(pointer)?.keys).map((key) => [
            key,
            node(below(pointer, key), value[key] ?? null),
          ]),
        )
      : Array.isArray(value)
        ? list(value.map((item, i) => node(below(pointer, i), item)))
        : scalar(source, pointer, value);
    if (origins && (made instanceof Scalar || made.flow === true)) {
      made.comment = ` ${formatOrigin(originOf(source, pointer))}`;
    }
    return made;
  };
  const document = new Document(undefined, { version: '1.2', schema: 'core', customTags: [EXACT_NUMBER] });
  document.contents = node('', shownConfig(source));
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function mapping(entries: readonly (readonly [string, Scalar | YAMLMap | YAMLSeq])[]): YAMLMap {
  const map = new YAMLMap<Scalar, Scalar | YAMLMap | YAMLSeq>();
  map.items = entries.map(([key, value]) => new Pair(new Scalar(key), value));
  map.flow = entries.length === 0;
  return map;
}

/** Written on one line when every entry is a plain word. */
function list(items: readonly (Scalar | YAMLMap | YAMLSeq)[]): YAMLSeq {
  const sequence = new YAMLSeq<Scalar | YAMLMap | YAMLSeq>();
  sequence.items = [...items];
  sequence.flow = items.every((item) => item instanceof Scalar && item.type === undefined);
  for (const item of sequence.flow ? items : []) item.comment = null;
  return sequence;
}

/** A number that is printed with its original digits. */
class ExactNumber {
  constructor(readonly digits: string) {}
}

const EXACT_NUMBER: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  // This tag is only for writing.
  test: /(?!)/,
  identify: (value) => value instanceof ExactNumber,
  resolve: Number,
  stringify: ({ value }) => (value as ExactNumber).digits,
};

/** A quoted variable is a string where any type is allowed; an unquoted one may have another type. */
function scalar(source: Source, pointer: Pointer, shown: JsonValue): Scalar {
  const { number } = source.marks.get(pointer) ?? {};
  if (number !== undefined && typeof shown === 'number') return new Scalar(new ExactNumber(number));
  const made = new Scalar(shown);
  if (source.marks.get(pointer)?.template === undefined) return made;
  made.type = typeof source.at(pointer) === 'string' ? Scalar.QUOTE_DOUBLE : Scalar.PLAIN;
  return made;
}
