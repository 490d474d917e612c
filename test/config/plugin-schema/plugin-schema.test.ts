/** A plugin's own schema for its `config:` block: the messages about mistakes, and the limits of a schema. */
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../dist/config/load/load.js';
import { checkPluginConfig } from '../../../dist/config/plugin-schema/check.js';
import { formatProblem } from '../../../dist/config/source/problems.js';
import type { JsonObject } from '../../../dist/config/types.js';

/** The `config:` block of plugin `a` in a file. The block begins on the third line. */
async function check(schema: object, block: string, env: NodeJS.ProcessEnv = {}) {
  const text = `plugins:\n  a: { path: x, config:\n    ${block} }\n`;
  const { config } = parseConfig(text, { file: 'backworks.yaml', directory: '/', env });
  return checkPluginConfig(schema as JsonObject, config.plugins[0]?.config ?? {}, 'a');
}

async function sentences(schema: object, block: string, env?: NodeJS.ProcessEnv): Promise<string[]> {
  const result = await check(schema, block, env);
  if (result.kind !== 'misfit') throw new Error(`it is ${JSON.stringify(result)}`);
  return result.problems.map(formatProblem);
}

const of = (property: object): object => ({ properties: { a: property } });

test.each([
  [of({ type: 'integer', minimum: 1 }), '{ a: 0 }', 'expected a whole number of at least 1, found 0'],
  [of({ type: 'integer', maximum: 9 }), '{ a: 10 }', 'expected a whole number of at most 9, found 10'],
  [of({ type: 'number', minimum: 1, maximum: 2 }), '{ a: 3 }', 'expected a number from 1 to 2, found 3'],
  [of({ type: 'number', exclusiveMaximum: 2 }), '{ a: 2 }', 'expected a number below 2, found 2'],
  [of({ multipleOf: 5 }), '{ a: 7 }', 'expected a value in steps of 5, found 7'],
  [of({ type: 'string' }), '{ a: 1 }', 'expected a string, found 1 — put it in quotes'],
  [
    of({ type: ['string', 'null'], minLength: 1 }),
    '{ a: "" }',
    'expected a string or nothing that is not empty, found ""',
  ],
  [
    of({ type: 'string', maxLength: 2 }),
    '{ a: abc }',
    'expected a string of at most 2 characters, found "abc"',
  ],
  [of({ type: 'string', pattern: '^x' }), '{ a: y }', 'expected a string that matches "^x", found "y"'],
  [of({ type: 'string', format: 'uuid' }), '{ a: y }', 'expected a string in the format uuid, found "y"'],
  [of({ type: 'array', minItems: 1 }), '{ a: [] }', 'expected a list that is not empty, found 0'],
  [of({ type: 'array', maxItems: 1 }), '{ a: [1, 2] }', 'expected a list of at most 1 entries, found 2'],
  [of({ uniqueItems: true }), '{ a: [1, 1] }', 'expected a list without duplicates, found a list'],
  [
    of({ enum: ['on', 'never'] }),
    '{ a: nevr }',
    'expected "on" or "never", found "nevr" — did you mean "never"?',
  ],
  [of({ const: 7 }), '{ a: 8 }', 'expected 7, found 8'],
  [of({ not: { type: 'string' } }), '{ a: b }', 'expected something else, found "b"'],
  [
    of({ oneOf: [{ type: 'boolean' }, { type: 'integer' }] }),
    '{ a: b }',
    'expected true or false or a whole number, found "b"',
  ],
  [
    of({ anyOf: [{ properties: { b: { type: 'string' } } }, { type: 'integer' }] }),
    '{ a: { b: 1 } }',
    'expected one of the forms that its schema allows, found a mapping',
  ],
  [of({ type: 'string', writeOnly: true, minLength: 4 }), '{ a: abc }', /characters, found a string$/],
])('%j and %s', async (schema, block, expected) => {
  const [sentence, ...more] = await sentences(schema, block);
  expect(more).toEqual([]);
  if (typeof expected === 'string')
    expect(sentence).toBe(`backworks.yaml:3:10: plugins.a.config.a: ${expected}`);
  else expect(sentence).toMatch(expected);
});

test('a missing, an unknown and a malformed key are each reported', async () => {
  const schema = {
    required: ['needed'],
    additionalProperties: false,
    properties: { needed: {}, colour: {}, map: { propertyNames: { maxLength: 2 } } },
    dependencies: { colour: ['map'] },
  };
  expect(await sentences(schema, '{ color: 1, other: 2 }')).toEqual([
    'backworks.yaml:2:17: plugins.a.config: the key "needed" is missing',
    'backworks.yaml:3:7: plugins.a.config.color: unknown key "color" — did you mean "colour"?',
    'backworks.yaml:3:17: plugins.a.config.other: unknown key "other" — the keys here are needed, colour, map',
  ]);
  expect(await sentences(schema, '{ needed: 1, colour: 2 }')).toEqual([
    'backworks.yaml:2:17: plugins.a.config: the key "map" is missing',
  ]);
  expect(await sentences(schema, '{ needed: 1, map: { abc: 1 } }')).toEqual([
    'backworks.yaml:3:25: plugins.a.config.map.abc: expected a key that is a value of at most 2 characters, found "abc"',
  ]);
});

test('a mistake in a missing block is reported at the entry of its plugin', async () => {
  const { config } = parseConfig('plugins:\n  a: { path: x }\n', { file: 'b.yaml', directory: '/', env: {} });
  const result = await checkPluginConfig({ required: ['k'] }, config.plugins[0]?.config ?? {}, 'a');
  expect(result).toMatchObject({ kind: 'misfit', problems: [{ file: 'b.yaml', line: 2, column: 3 }] });
});

test('the content of a variable is not shown, and is converted to the type of the schema', async () => {
  const number = of({ type: 'integer', maximum: 5 });
  expect(await check(number, '{ a: "${N}" }', { N: '4' })).toEqual({ kind: 'fits', config: { a: 4 } });
  const text = of({ type: 'string' });
  expect(await check(text, '{ a: ${N} }'.replace('${N}', '"${N}"'), { N: '4' })).toMatchObject({
    config: { a: '4' },
  });
  const [sentence] = await sentences(number, '{ a: "${N}" }', { N: '6174' });
  expect(sentence).toMatch(/found the value of \$\{?N\}?$|found .*N/);
  expect(sentence).not.toContain('6174');
});

test('defaults of the schema are added to the values of the file', async () => {
  const schema = { properties: { a: { default: 1 }, b: { properties: { c: { default: [2] } } } } };
  expect(await check(schema, '{ b: {} }')).toEqual({ kind: 'fits', config: { a: 1, b: { c: [2] } } });
  // A default does not excuse a mistake in the default.
  expect((await check(of({ type: 'string', default: 1 }), '{}')).kind).toBe('misfit');
});

describe('a schema that cannot be used', () => {
  const nested = (depth: number): object => (depth === 0 ? {} : { not: nested(depth - 1) });
  test.each([
    [
      'unknown keyword',
      { proprties: {} },
      'it has the keyword "proprties", which does not exist — did you mean "properties"?',
    ],
    ['$data', of({ minimum: { $data: '/b' } }), '"#/properties/a/minimum" is not a number'],
    ['$id', { $id: 'http://example.com/' }, 'it has the keyword "$id", which is not supported'],
    ['another file', { $ref: 'other.json' }, /^"#\/\$ref" is not a reference within the schema/],
    ['no such definition', { $ref: '#/definitions/x' }, /can't resolve reference/],
    ['itself', { $ref: '#' }, 'it refers to itself without end'],
    ['an invalid pattern', of({ pattern: '(' }), /Invalid regular expression/],
    ['a long pattern', of({ pattern: 'a'.repeat(513) }), /not a string of at most 512 characters$/],
    ['an unknown format', of({ format: 'regex' }), /not one of date, /],
    ['no schema', of(7 as unknown as object), '"#/properties/a" is not a schema (an object, true or false)'],
    ['depth', nested(40), 'it is nested more than 32 deep'],
    ['bytes', { description: 'a'.repeat(70_000) }, 'it is longer than 65536 bytes'],
    ['schemas', { allOf: Array.from({ length: 3000 }, () => ({})) }, 'it has more than 2048 schemas'],
    ['a prototype', JSON.parse('{"properties":{"__proto__":{}}}') as object, /has the key "__proto__"$/],
    ['a pattern without end', of({ pattern: '^(a+)+$' }), 'it takes longer than 2000 ms to apply'],
  ])('%s', async (_, schema, reason) => {
    const result = await check(schema, `{ a: ${'a'.repeat(40)}! }`);
    if (result.kind !== 'unusable') throw new Error(JSON.stringify(result));
    if (typeof reason === 'string') expect(result.reason).toBe(reason);
    else expect(result.reason).toMatch(reason);
  });

  test('extension keywords and $schema are ignored', async () => {
    const schema = { $schema: 'http://json-schema.org/draft-07/schema#', 'x-order': [1], title: 'a' };
    expect((await check(schema, '{ a: 1 }')).kind).toBe('fits');
  });
});

test('a recursive schema accepts a tree', async () => {
  const tree = { type: 'object', additionalProperties: { $ref: '#' } };
  expect((await check(tree, '{ a: { b: {} } }')).kind).toBe('fits');
  expect(await sentences(tree, '{ a: { b: 1 } }')).toEqual([
    'backworks.yaml:3:15: plugins.a.config.a.b: expected a mapping, found 1',
  ]);
});
