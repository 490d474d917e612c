/** Every key of the schema with a value of every wrong type: in the file, in an overlay, and in an editor. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { rejection } from './rejection.js';

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

const root = JSON.parse(
  readFileSync(new URL('../../../schema/backworks.v1.json', import.meta.url), 'utf8'),
) as Schema;

function resolved({ anyOf, ...plain }: Schema): Schema {
  // Before variables are filled in, a value may also be a variable.
  const schema = { ...plain, ...anyOf?.[0] };
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  return reference === undefined
    ? schema
    : resolved(root.definitions?.[reference.replace('#/definitions/', '')] ?? {});
}

/** Every key with a type, including blocks and entries. */
function keysOf(schema: Schema, path: readonly string[] = []): [path: readonly string[], schema: Schema][] {
  const named = schema.additionalProperties;
  const children = [
    ...Object.entries(schema.properties ?? {}),
    ...(typeof named === 'object' ? [['x', named] as const] : []),
  ];
  return children
    .filter(([key]) => key !== 'environments')
    .map(([key, child]) => [[...path, key], resolved(child)] as const)
    .flatMap(([at, child]) => [
      ...(child.type === undefined ? [] : [[at, child] as [readonly string[], Schema]]),
      ...keysOf(child, at),
    ]);
}

/** A value of each kind of YAML. */
const KINDS = {
  string: '"\\n"',
  integer: '-5000000',
  boolean: 'true',
  array: '[{}]',
  object: '{ "no such key": {} }',
};

function wrongValues({ type = [], enum: values, pattern }: Schema): string[] {
  const right = [type].flat();
  return Object.entries(KINDS)
    .filter(([kind]) => !right.includes(kind) || ((values ?? pattern) !== undefined && kind === 'string'))
    .map(([, value]) => value);
}

const keys = keysOf(root);
/** Keys of the file itself, which are not allowed in an overlay. */
const OF_THE_FILE = ['config_version'];
const around = (path: readonly string[], value: string): string =>
  path.reduceRight((inner, key) => `{ ${key}: ${inner} }`, value);

describe.each(keys.map(([path, schema]) => [path.join('.'), path, schema] as const))(
  '%s',
  (name, path, schema) => {
    test.each(wrongValues(schema))('is not %s', (value) => {
      const text = around(path, value);
      const inFile = rejection(text).problems.find((problem) => problem.path === name);
      // A key that is not supported yet is reported at the key.
      const at = inFile?.message.includes('not supported') === true ? `${path.at(-1)}: ${value}` : value;
      expect(inFile).toMatchObject({ line: 1, column: text.indexOf(at) + 1, code: 'BW_CONFIG_INVALID' });
      if (OF_THE_FILE.includes(name)) return;
      const overlaid = `environments: { e: ${text} }`;
      const inOverlay = rejection(overlaid).problems;
      expect(inOverlay).toMatchObject([
        {
          line: 1,
          column: overlaid.indexOf(at) + 1,
          path: `environments.e.${name}`,
          message: inFile?.message,
        },
      ]);
    });
  },
);

describe('an editor with the schema, which does not know the variables,', () => {
  const validate = new Ajv({ strict: false }).compile(root);
  const overlay = (path: readonly string[], value: unknown): boolean =>
    validate({ environments: { e: path.reduceRight((inner, key) => ({ [key]: inner }), value) } });

  const overlaid = keys.filter(([path]) => !OF_THE_FILE.includes(path.join('.')));
  test.each(overlaid)('marks %j where the server would', (path, schema) => {
    for (const value of wrongValues(schema))
      expect([value, overlay(path, JSON.parse(value))]).toEqual([value, false]);
    expect(overlay(path, null)).toBe(true);
    const block = [schema.type].flat().some((type) => type === 'object' || type === 'array');
    // The name of a plugin is validated like a key.
    if (!block && path.at(-1) !== 'plugin') expect(overlay(path, '${NAME}')).toBe(true);
  });

  test('marks nothing in the examples and in the documentation', () => {
    const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
    const samples = ['README.md', 'docs/config.md'].flatMap((file) =>
      [...read(file).matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1] ?? ''),
    );
    expect(samples.length).toBeGreaterThan(4);
    for (const text of [read('examples/weather/backworks.yaml'), ...samples]) {
      const value: unknown = parse(text) ?? {};
      expect([validate(value), text, validate.errors]).toEqual([true, text, null]);
    }
  });
});

test('the test finds the keys of the schema', () => {
  expect(keys.length).toBeGreaterThan(60);
});
