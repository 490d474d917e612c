/** Every key of the schema, holding a value of every wrong kind, in the file and in an overlay. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { rejection } from './rejection.js';

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

const root = JSON.parse(
  readFileSync(new URL('../../schema/backworks.v1.json', import.meta.url), 'utf8'),
) as Schema;

function resolved(schema: Schema): Schema {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  return reference === undefined
    ? schema
    : (root.definitions?.[reference.replace('#/definitions/', '')] ?? {});
}

/** Every key with a type, blocks and entries included. */
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
const around = (path: readonly string[], value: string): string =>
  path.reduceRight((inner, key) => `{ ${key}: ${inner} }`, value);

describe.each(keys.map(([path, schema]) => [path.join('.'), path, schema] as const))(
  '%s',
  (name, path, schema) => {
    test.each(wrongValues(schema))('is not %s', (value) => {
      const text = around(path, value);
      const inFile = rejection(text).problems.find((problem) => problem.path === name);
      // What is not supported yet is told at the key.
      const at = inFile?.message.includes('not supported') === true ? `${path.at(-1)}: ${value}` : value;
      expect(inFile).toMatchObject({ line: 1, column: text.indexOf(at) + 1, code: 'BW_CONFIG_INVALID' });
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

test('there are keys', () => {
  expect(keys.length).toBeGreaterThan(60);
});
