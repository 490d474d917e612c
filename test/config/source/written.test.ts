import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { AS_IT_IS, exactJson, jsonNumber, writtenBelow } from '../../../dist/config/source/written.js';
import { parseConfig } from '../../../dist/config/load/load.js';

function configOf(block: string, options: object = {}): string {
  const yaml = `plugins: { p: { path: /p, config: ${block} } }`;
  const [plugin] = parseConfig(yaml, { directory: '/', env: {}, ...options }).config.plugins;
  return exactJson(plugin!.config, plugin!.written ?? AS_IT_IS);
}

test.each([
  ['12345678901234567890', '12345678901234567890'],
  ['-9007199254740993', '-9007199254740993'],
  ['1.0', '1.0'],
  ['1.', '1.0'],
  ['1.e5', '1.0e5'],
  ['.5', '0.5'],
  ['-.5', '-0.5'],
  ['+7', '7'],
  ['007', '7'],
  ['-0', '-0'],
  ['000', '0'],
  ['0.10', '0.10'],
  ['1E+3', '1E+3'],
  ['1e-400', '1e-400'],
  ['0x1F', '31'],
  ['0xFFFFFFFFFFFFFFFF', '18446744073709551615'],
  ['0o777777777777777777777', '9223372036854775807'],
])('the number %s is %s in JSON', (source, json) => {
  expect(jsonNumber(source)).toBe(json);
  expect(configOf(`{ n: ${source} }`)).toBe(`{"n":${json}}`);
});

test('every number of the core schema becomes JSON with the same value', () => {
  const digits = fc.stringMatching(/^\d{1,25}$/);
  const source = fc.oneof(
    digits,
    fc.stringMatching(/^[-+]?(\.\d{1,9}|\d{1,9}(\.\d{0,9})?)([eE][-+]?\d{1,2})?$/),
    fc.stringMatching(/^0x[0-9a-fA-F]{1,20}$/),
    fc.stringMatching(/^0o[0-7]{1,20}$/),
  );
  fc.assert(
    fc.property(source, (text) => {
      const value: unknown = parseDocument(text, { schema: 'core' }).toJS();
      expect(typeof value).toBe('number');
      expect(JSON.parse(jsonNumber(text))).toBe(value);
    }),
  );
});

test.each(['1e400', '-1e400', '.inf', '-.Inf', '.nan'])('%s is rejected with its location', (source) => {
  expect(() => configOf(`{ n: ${source} }`)).toThrow(
    expect.objectContaining({
      code: 'BW_CONFIG_SYNTAX',
      problems: [expect.objectContaining({ line: 1, column: 40 })],
    }),
  );
});

describe('a block', () => {
  test('keeps the order of its keys, even of numeric keys', () => {
    expect(configOf('{ b: 1, "10": 2, "9": { "1": a, "0": b }, __proto__: 3 }')).toBe(
      '{"b":1,"10":2,"9":{"1":"a","0":"b"},"__proto__":3}',
    );
  });

  test('keeps digits that an alias repeats', () => {
    expect(configOf('{ a: &n 1.0, b: *n, c: [*n] }')).toBe('{"a":1.0,"b":1.0,"c":[1.0]}');
  });

  test('keeps digits and order when layers are merged', () => {
    const yaml = `
plugins: { p: { path: /p, config: { b: 1.0, "2": 2.0, "1": { x: 3.0 } } } }
environments: { other: { plugins: { p: { config: { "1": { y: 4.0 }, b: 5.0, "0": 6.0 } } } } }`;
    const overrides = [
      { assignment: 'plugins.p.config.c=7.0', layer: { kind: 'flag', name: '--set' } as const },
    ];
    const { config } = parseConfig(yaml, { directory: '/', env: {}, environment: 'other', overrides });
    const [plugin] = config.plugins;
    expect(exactJson(plugin!.config, plugin!.written!)).toBe(
      '{"b":5.0,"2":2.0,"1":{"x":3.0,"y":4.0},"0":6.0,"c":7.0}',
    );
  });

  test('still fills in variables', () => {
    const env = { BIG: '12345678901234567890', ONE: '1.0', SEVEN: '7' };
    expect(configOf('{ a: "${BIG}", b: "${ONE}", c: "${SEVEN}" }', { env })).toBe(
      '{"a":"12345678901234567890","b":"1.0","c":"7"}',
    );
  });
});

test('a value that was changed later is written as JSON.stringify() writes it', () => {
  const written = { numbers: { '/a': '1.0', '/b': '2.0' }, keys: { '': ['b', 'gone', 'a'] } };
  expect(exactJson({ a: 1, b: 'text', c: 3 }, written)).toBe('{"b":"text","a":1.0,"c":3}');
  expect(exactJson({ a: 5 }, written)).toBe('{"a":5}');
  expect(exactJson({ in: { a: 1 } }, writtenBelow(written, '/in'))).toBe('{"in":{"a":1.0}}');
});

test('indented JSON equals the output of JSON.stringify()', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const written = { numbers: {}, keys: {} };
      expect(exactJson(value as never, written, 2)).toBe(JSON.stringify(value, null, 2));
      expect(exactJson(value as never, written)).toBe(JSON.stringify(value));
    }),
  );
});
