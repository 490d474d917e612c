import fc from 'fast-check';

/** JSON text with details that parsing to JavaScript values would lose or change. */

const NAMES = ['a', 'b', 'c', 'é', '\u{1f600}', '', '__proto__', 'constructor', '1', '0', 'name', '\\"'];

/** A name, with any of the possible escapes. */
const name = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...NAMES) },
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    fc.nat(5),
  )
  .map(([text, way]) => {
    if (way > 0) return JSON.stringify(text);
    const units = text.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    return `"${units.join('')}"`;
  });

const number = fc.oneof(
  fc.constantFrom(
    '1.0',
    '-0',
    '0.10',
    '1e400',
    '1E-400',
    '12345678901234567890',
    '342161316540874753',
    '1e+2',
  ),
  fc.bigInt().map(String),
);
const scalar = fc.oneof(
  number,
  fc.constantFrom('null', 'null', 'true', 'false', '""', '"\\ud800"', '"\\u00e9"', '"a\\/b"'),
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => JSON.stringify(text)),
);
const space = fc.constantFrom('', '', '', ' ', '\n  ', '\t\r\n');

const texts = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, tie('array'), tie('object'), tie('object')),
  array: fc
    .array(
      fc.tuple(space, tie('value'), space).map((parts) => parts.join('')),
      { maxLength: 3 },
    )
    .map((items) => `[${items.join(',')}]`),
  object: fc
    .array(
      fc.tuple(space, name, space, fc.constant(':'), space, tie('value'), space).map((p) => p.join('')),
      {
        maxLength: 6,
      },
    )
    .chain((members) => space.map((last) => `{${members.join(',')}${members.length === 0 ? last : ''}}`)),
}));

/** Any JSON. */
export const jsonValueText = fc
  .tuple(space, texts.value as fc.Arbitrary<string>, space)
  .map((parts) => parts.join(''));

/** A JSON object. */
export const jsonObjectText = fc.tuple(space, texts.object, space).map((parts) => parts.join(''));
