/** The schema, its documentation and the samples in the documentation agree. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { ConfigError, parseConfig } from '../../../dist/config/load/load.js';

interface Schema {
  $ref?: string;
  title?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  anyOf?: Schema[];
  additionalProperties?: boolean | Schema;
  definitions?: Record<string, Schema>;
  type?: string | string[];
}

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const schema = JSON.parse(read('schema/backworks.v1.json')) as Schema;
const document = read('docs/config.md');

interface Key {
  readonly path: string;
  readonly schema: Schema;
  readonly required: boolean;
}

/** Every key, including blocks. NAME stands for a name that the user chooses. */
function keysOf(parent: Schema, prefix = ''): Key[] {
  const named = parent.additionalProperties;
  const reference = typeof named === 'object' ? named.$ref?.replace('#/definitions/', '') : undefined;
  // An overlay repeats the keys of the file.
  const entry =
    reference === undefined || reference === 'overlay' ? undefined : schema.definitions?.[reference];
  return [
    ...Object.entries(parent.properties ?? {}).flatMap(([key, child]) => [
      { path: prefix + key, schema: child, required: parent.required?.includes(key) === true },
      ...keysOf(child, `${prefix}${key}.`),
    ]),
    ...(parent.anyOf ?? []).flatMap((alternative) => keysOf(alternative, prefix)),
    ...(entry === undefined ? [] : keysOf(entry, `${prefix}NAME.`)),
  ];
}

const keys = keysOf(schema);
/** The keys whose value is not a mapping of further keys. */
const leaves = keys.filter(
  ({ path, schema: { anyOf } }) =>
    anyOf !== undefined || !keys.some((other) => other.path.startsWith(`${path}.`)),
);

/** The default that the documentation gives for each key. */
const documented = new Map(
  [...document.matchAll(/^\| `([a-z0-9_A-Z.]+)` \| .* \| (\S.*?) \| [^|]+ \|$/gm)].map((row) => [
    row[1],
    row[2],
  ]),
);

test('docs/config.md has every key of the schema and no other', () => {
  expect([...documented.keys()].sort()).toEqual(leaves.map(({ path }) => path).sort());
});

test.each(leaves.map((key) => [key.path, key] as const))('the default of %s is documented', (path, key) => {
  const value = key.schema.default;
  const text = typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
  const expected = value === undefined ? (key.required ? 'required' : 'none') : `\`${text}\``;
  expect(documented.get(path)).toBe(expected);
});

test.each(keys.map((key) => [key.path, key.schema] as const))('%s is explained to editors', (_, key) => {
  expect(key.title).toMatch(/\S/);
  expect(key.description).toMatch(/\.$/);
  if (key.properties === undefined) expect(key.examples?.length).toBeGreaterThan(0);
});

test('every block that lists its keys allows no other', () => {
  const open = keys.filter(
    ({ schema: key }) => key.properties !== undefined && key.additionalProperties !== false,
  );
  expect(open.map(({ path }) => path)).toEqual(['plugins']);
});

describe('each sample of docs/config.md', () => {
  const samples = [...document.matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1] ?? '');
  test.each(samples.filter((sample) => !sample.startsWith('# yaml-language-server')))(
    'loads: %s',
    (sample) => {
      const { config, warnings } = parseConfig(sample, { directory: '/srv', env: {} });
      expect(config.plugins.length).toBeGreaterThan(0);
      expect(warnings).toEqual([]);
    },
  );
});

test('every configuration of the repository names its schema to editors', () => {
  const files = ['examples', 'templates', 'test/fixtures']
    .filter((folder) => existsSync(new URL(folder, root)))
    .flatMap((folder) =>
      readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
        .filter((name) => /(^|\/)backworks\.ya?ml$/.test(name))
        .map((name) => `${folder}/${name}`),
    );
  expect(files).toContain('examples/weather/backworks.yaml');
  for (const file of files) {
    const [, schemaFile] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(read(file)) ?? [];
    // A project of `plugin new` has a copy of its own.
    if (file.startsWith('templates/')) expect([file, schemaFile]).toEqual([file, './sdk/backworks.v1.json']);
    else {
      const target = new URL(schemaFile ?? 'none', new URL(file, root)).pathname;
      expect([file, target]).toEqual([file, new URL('schema/backworks.v1.json', root).pathname]);
    }
  }
  expect(read('README.md')).toMatch(/```yaml\n# yaml-language-server: \$schema=\S+\n/);
});

test('the keys named under "Not supported yet" are refused', () => {
  const section = document.slice(document.indexOf('## Not supported yet'));
  const named = [...section.matchAll(/`([a-z0-9_.]+)`/g)].map((match) => match[1] ?? '');
  expect(named.length).toBeGreaterThan(2);
  for (const key of named) {
    const path = keyPath(key);
    const text = path.reduceRight<string>((inner, name) => `{ ${name}: ${inner} }`, 'other');
    const load = () => parseConfig(text, { directory: '/srv', env: {} });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/is not supported by this version yet/);
  }
});

/** The full path of a key that the section abbreviates. */
function keyPath(key: string): string[] {
  const global = ['marketplace', 'state'].includes(key);
  return global ? key.split('.') : ['plugins', 'a', ...key.split('.')];
}
