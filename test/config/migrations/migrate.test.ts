/** Migration of files in the first dialect to version 1. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { ConfigError, parseConfig } from '../../../dist/config/load/load.js';
import { lostComments } from '../../../dist/config/migrations/comments.js';
import { migrate } from '../../../dist/config/migrations/migrate.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const at = { file: 'b.yaml', directory: '/', env: {} };
/** The text after the version line, with which every migrated file begins. */
const migrated = (text: string): string => {
  const result = migrate(text, 'b.yaml');
  expect(result.text).toMatch(/^config_version: 1\n/);
  return result.text.replace('config_version: 1\n', '');
};

const ENDPOINT = 'endpoints:\n  /a: { method: GET }\n';

describe('each construct of the first dialect is migrated', () => {
  test.each([
    [
      'plugin_discovery',
      'plugin_discovery:\n  enabled: true\n  directories: [./p, p/]\n  recursive: false\n',
      'plugins:\n  auto_discover:\n    enabled: true\n    directories: [p/]\n',
    ],
    [
      'plugin_type',
      'plugins:\n  a: { plugin_type: External, path: x }\n',
      'plugins:\n  a: { type: external, path: x }\n',
    ],
    [
      'a plugin without a path',
      'plugins:\n  a: { plugin_type: builtin }\n  b: { config: { c: 1 } }\n',
      'plugins:\n  a: { type: builtin }\n  b: { config: { c: 1 }, type: builtin }\n',
    ],
    [
      'the name of a plugin',
      'plugins:\n  a b: { plugin_type: external, path: x }\nendpoints:\n  /c: { plugin: a b, method: GET }\n',
      'plugins:\n  a-b: { type: external, path: x }\nendpoints:\n  c:\n    path: /c\n    plugin: a-b\n    methods: [ GET ]\n',
    ],
    [
      'an endpoint',
      'plugins:\n  w: { path: x }\nendpoints:\n  "/c/:id":\n    method: "get"\n    runtime: { type: "plugin", handler: "w" }\n',
      'plugins:\n  w: { path: x }\nendpoints:\n  c-id:\n    path: /c/{id}\n    methods: [ GET ]\n    plugin: w\n',
    ],
    [
      'description',
      'endpoints:\n  /a:\n    description: |\n      What it\n      is for\n    methods: [GET]\n',
      'endpoints:\n  # What it\n  # is for\n  a:\n    path: /a\n    methods: [GET]\n',
    ],
    ['no method', 'endpoints:\n  /a/: {}\n', 'endpoints:\n  a:\n    path: /a\n    methods: [ GET ]\n'],
    ['any method', 'endpoints:\n  /a: { method: ANY }\n', 'endpoints:\n  a:\n    path: /a\n'],
    [
      'the root',
      'endpoints:\n  /: { method: GET }\n',
      'endpoints:\n  root:\n    path: /\n    methods: [ GET ]\n',
    ],
    [
      'proxy and mode',
      'endpoints:\n  /a/*rest:\n    mode: Proxy\n    proxy: { target: "http://h", timeout: 30 }\n    methods: [GET]\n',
      'endpoints:\n  a-rest:\n    path: /a/*\n    proxy: { target: "http://h", timeout: 30s }\n    methods: [GET]\n'.replace(
        'a-rest',
        'a',
      ),
    ],
    ['dashboard', `dashboard: { enabled: true, port: 9000 }\n`, 'admin: { enabled: true, port: 9000 }\n'],
    [
      'numbers in place of strings',
      `version: 1.0\ndescription:\n${ENDPOINT}`,
      'version: "1.0"\nendpoints:\n  a:\n    path: /a\n    methods: [ GET ]\n',
    ],
    [
      'what was version 1 already',
      'server: { body_limit: 1MiB }\nplugins:\n  a: { plugin_type: external, path: x, timeouts: { call: 1s } }\n',
      'server: { body_limit: 1MiB }\nplugins:\n  a: { type: external, path: x, timeouts: { call: 1s } }\n',
    ],
    [
      'the log level',
      `logging: { level: INFO }\n${ENDPOINT}`,
      'logging: { level: info }\nendpoints:\n  a:\n    path: /a\n    methods: [ GET ]\n',
    ],
    [
      'aliases',
      'endpoints:\n  /a: &e\n    method: GET\n  /b: *e\n',
      'endpoints:\n  a:\n    path: /a\n    methods: [ GET ]\n  b:\n    path: /b\n    methods: [ GET ]\n',
    ],
  ])('%s', (_, before, after) => {
    expect(migrated(before).replace(/\[ GET \]/g, '[GET]')).toBe(after.replace(/\[ GET \]/g, '[GET]'));
    parseConfig(migrate(before, 'b.yaml').text, at);
    expect(
      migrate(before, 'b.yaml').notes.filter(({ message }) => !message.includes('is now called')),
    ).toEqual([]);
  });
});

describe('a key that version 1 does not have becomes a comment with its line number', () => {
  test.each([
    [
      'a block',
      `${ENDPOINT}database: # big\n  type: sqlite\n`,
      3,
      'database: version 1 has no such key',
      '# database:\n#   # big\n#   type: sqlite\n',
    ],
    [
      'a runtime that is not a plugin',
      'endpoints:\n  /a:\n    runtime: { language: js }\n',
      2,
      '/a: version 1 has no equivalent of its target',
      '#   runtime: { language: js }',
    ],
    [
      'an unknown handler',
      'endpoints:\n  /a: { runtime: { type: plugin, handler: x } }\n',
      2,
      '/a: version 1 has no equivalent of its target',
      '#   runtime: { type: plugin, handler: x }',
    ],
    [
      'a path',
      'endpoints:\n  /a/*/b: { method: GET }\n',
      2,
      '/a/*/b: its path cannot be written in version 1',
      '# /a/*/b:',
    ],
    [
      'a method',
      'endpoints:\n  /a: { method: TRACE }\n',
      2,
      '/a: version 1 supports none of its methods',
      '# /a:',
    ],
    [
      'the same route twice',
      'endpoints:\n  /a/:x: { method: GET }\n  /a/:y: { method: get }\n',
      3,
      '/a/:y: another endpoint has this path and method',
      '# /a/:y:',
    ],
    [
      'a library without a path',
      'plugins:\n  a: { plugin_type: external }\n',
      2,
      'a: an external plugin needs a path',
      '# a: { type: external }',
    ],
    [
      'an unknown plugin type',
      'plugins:\n  a: { plugin_type: wasm, path: x }\n',
      2,
      'plugin_type: version 1 has no such type',
      '# plugin_type: wasm',
    ],
    [
      'subdirectories',
      'plugin_discovery:\n  recursive: true\n',
      2,
      'recursive: subdirectories are not searched; list each of them',
      '# recursive: true',
    ],
    [
      'the same port for dashboard and server',
      'dashboard: { port: 8080 }\n',
      1,
      'port: the server uses this port',
      '# port: 8080',
    ],
    [
      'a body for a status without a body',
      'endpoints:\n  /a:\n    response:\n      status: 204 # gone\n      body: { a: 1 }\n',
      5,
      'body: a response with status 204 has no body',
      '# body: { a: 1 }',
    ],
    [
      'a status that is not final',
      'endpoints:\n  /a: { response: { status: 100, body: x } }\n',
      2,
      'status: version 1 has no such status',
      '# status: 100',
    ],
    [
      'an unsupported proxy setting',
      'endpoints:\n  /a: { proxy: { target: "http://h", headers: { a: b } } }\n',
      2,
      'headers: proxy has no such key',
      '# headers: { a: b }',
    ],
  ])('%s', (_, text, line, message, comment) => {
    const result = migrate(text, 'b.yaml');
    expect(result.notes).toContainEqual({ line, message });
    const flat = (lines: string) => lines.replace(/^ +/gm, '');
    expect(flat(result.text)).toContain(`# not migrated (line ${line}): ${message.replace(/^[^ ]*: /, '')}`);
    expect(flat(result.text)).toContain(flat(comment));
    parseConfig(result.text, at);
  });
});

test('a migration keeps comments and the order of keys', () => {
  const text = `# the file

# the plugins
plugins: # all
  # one
  w: # w
    path: x # where
    plugin_type: external # kind
# the end
`;
  expect(migrate(text, 'b.yaml').text).toBe(`# the file

# the plugins
config_version: 1
plugins:
  # all
  # one
  w:
    # w
    path: x # where
    type: external # kind

# the end
`);
});

describe('the migrated file has every comment of the old file exactly once', () => {
  test.each(['everything', 'unusual-yaml', 'flow'])('%s.yaml', (name) => {
    const text = readFileSync(join(root, 'test/config/migrations/commented', `${name}.yaml`), 'utf8');
    const ids = (of: string): string[] => [...of.matchAll(/# (C\d+)/g)].map(([, id]) => id as string).sort();
    const { text: migrated, notes } = migrate(text, 'b.yaml');
    expect(ids(text).length).toBeGreaterThan(10);
    expect(ids(migrated)).toEqual(ids(text));
    expect(notes.filter(({ message }) => message.includes('comment'))).toEqual([]);
    parseConfig(migrated, at);
  });

  test('a comment that cannot be placed moves to the end, and a note names it', () => {
    const before = 'a: 1 # one\nb: 2 # two\n# three\n';
    expect(lostComments(before, 'a: 1 # one\n# b: 2 # two\n')).toEqual([{ line: 3, text: 'three' }]);
    expect(lostComments('a: 1 # x\nb: 2 # x\n', 'a: 1 # x\nb: 2\n')).toEqual([{ line: 2, text: 'x' }]);
    expect(lostComments('a: "# no"\nb: |\n  # no\n', '')).toEqual([]);
  });
});

test('a file with the line ends of Windows keeps them', () => {
  const text = 'name: a # one\r\n# two\r\nplugin_discovery:\r\n  enabled: true # three\r\n';
  const { text: migrated } = migrate(text, 'b.yaml');
  expect(migrated.split('\r\n').length).toBeGreaterThan(5);
  expect(migrated.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  for (const comment of ['# one', '# two', '# three']) expect(migrated).toContain(comment);
  parseConfig(migrated, at);
});

test('a file of the current version stays unchanged, byte for byte', () => {
  for (const text of [
    'config_version:   1\r\nplugins: {}\r\n',
    'plugins: {}',
    '',
    '# nothing\n',
    'endpoints: { a: { path: /a } }',
  ])
    expect(migrate(text, 'b.yaml')).toEqual({ from: 1, to: 1, text, notes: [] });
});

test('an unknown version and an impossible target version are usage errors', () => {
  const refused = (text: string, to?: number) => () => migrate(text, 'b.yaml', to);
  expect(refused('config_version: 2')).toThrow('b.yaml has version 2; this program knows versions 0 to 1');
  expect(refused('config_version: x')).toThrow('b.yaml does not declare a valid version');
  expect(refused('plugins: {}', 0)).toThrow('b.yaml has version 1 and cannot be migrated to 0');
  expect(refused('dashboard: {}', 7)).toThrow('b.yaml has version 0 and cannot be migrated to 7');
  expect(refused('a: [')).toThrow(ConfigError);
  expect(migrate('dashboard: {}', 'b.yaml', 0).text).toBe('dashboard: {}');
});

test('loading a file of another version reports only that, with a hint', () => {
  const message = (text: string): string => {
    try {
      parseConfig(text, at);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(message('name: a\nendpoints:\n  /a: { method: GET }\nother: 1\n')).toBe(
    'b.yaml:3:3: endpoints["/a"]: the file has version 0, but this program reads version 1' +
      ' — run: backworks config migrate b.yaml',
  );
  expect(message('plugins:\n  a: { plugin_type: x }\n')).toMatch(/^b\.yaml:2:8: plugins\.a\.plugin_type: /);
  expect(message('config_version: 2\nwhat: 1')).toBe(
    'b.yaml:1:1: config_version: the file has version 2, but this program reads version 1 — use a newer Backworks',
  );
  expect(message('config_version: 1')).toBe('');
  expect(message('config_version: x')).toMatch(/^b\.yaml:1:17: config_version: expected a whole number/);
});

const word = fc.stringMatching(/^[a-z][a-z0-9_ -]{0,8}$/);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const clean = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const plugin = fc.record({
  enabled: optional(fc.boolean()),
  plugin_type: optional(fc.constantFrom('external', 'builtin', 'External', 'wasm')),
  path: optional(fc.constant('./a.so')),
  version: optional(fc.constant('1.0.0')),
  config: optional(fc.dictionary(word, fc.oneof(fc.string(), fc.integer(), fc.boolean()))),
  restart_on_failure: optional(fc.boolean()),
});
const path = fc
  .array(fc.constantFrom('a', 'b', ':id', ':id', '{x}', '*', '*rest', 'v1.0', 'é'), { maxLength: 3 })
  .map((segments) => `/${segments.join('/')}`);
const endpoint = fc.record({
  method: optional(fc.constantFrom('GET', 'get', 'POST', 'ANY', 'TRACE')),
  methods: optional(fc.array(fc.constantFrom('GET', 'put', 'CONNECT'), { maxLength: 3 })),
  description: optional(fc.string()),
  mode: optional(fc.constantFrom('Plugin', 'Proxy', 'Database')),
  runtime: optional(
    fc.record({ type: fc.constantFrom('plugin', 'script'), handler: fc.constantFrom('a', 'b c', 'zz') }),
  ),
  plugin: optional(fc.constantFrom('a', 'zz')),
  response: optional(
    fc.record({
      status: optional(fc.constantFrom(200, 404, '404', 204, '304', 100, 'ok')),
      body: optional(fc.oneof(fc.string(), fc.constant(null))),
      delay: optional(fc.nat()),
    }),
  ),
  proxy: optional(
    fc.record({
      target: optional(fc.constant('http://127.0.0.1:9')),
      timeout: optional(fc.integer({ min: 0, max: 99 })),
      strip_prefix: optional(fc.constant('/a')),
    }),
  ),
});
const first = fc.record({
  name: optional(fc.string({ minLength: 1 })),
  version: optional(fc.oneof(fc.string(), fc.integer())),
  description: optional(fc.oneof(fc.string(), fc.constant(null))),
  server: optional(
    fc.record({
      host: fc.constant('0.0.0.0'),
      port: fc.constantFrom(8080, 9000),
      threads: optional(fc.nat()),
    }),
  ),
  plugin_discovery: fc.record({
    enabled: optional(fc.boolean()),
    directories: optional(fc.array(fc.constantFrom('./p', 'p', '/q', '/q/'))),
    recursive: optional(fc.boolean()),
  }),
  plugins: optional(fc.dictionary(fc.constantFrom('a', 'b c', 'b-c', 'd.e'), plugin)),
  endpoints: optional(fc.dictionary(path, endpoint)),
  dashboard: optional(
    fc.record({ enabled: fc.boolean(), port: fc.constantFrom(8080, 9000), theme: optional(fc.string()) }),
  ),
  logging: optional(
    fc.record({ level: fc.constantFrom('info', 'DEBUG', 'verbose'), file: optional(fc.string()) }),
  ),
  database: optional(fc.dictionary(word, fc.string())),
});

test('any file of the first dialect becomes a valid file of version 1, and migrating again changes nothing', () => {
  const flow = fc.boolean();
  fc.assert(
    fc.property(first, flow, (value, inline) => {
      const options = inline ? { collectionStyle: 'flow' as const, lineWidth: 0 } : { lineWidth: 0 };
      const text = stringify(clean(value), options).replaceAll(/\$\{+/g, '$');
      const result = migrate(text, 'b.yaml');
      expect(result.from).toBe(0);
      parseConfig(result.text, at);
      expect(migrate(result.text, 'b.yaml').text).toBe(result.text);
    }),
    { numRuns: 100 },
  );
});
