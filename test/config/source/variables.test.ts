import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../dist/config/load/load.js';
import { rejection } from '../load/rejection.js';

const load = (text: string, env: NodeJS.ProcessEnv = {}) =>
  parseConfig(text, { directory: '/srv', env }).config;

/** The value of a plugin's own setting that is written as `value`. */
const setting = (value: string, env: NodeJS.ProcessEnv) =>
  load(`plugins:\n  a:\n    path: x\n    config:\n      v: ${value}\n`, env).plugins[0]?.config['v'];

describe('a variable', () => {
  test.each([
    ['${A}', { A: 'x' }, 'x'],
    ['${A}', { A: '' }, ''],
    ['${A:-d}', {}, 'd'],
    ['${A:-d}', { A: '' }, 'd'],
    ['${A:-}', {}, ''],
    ['${A:-a:-b}', {}, 'a:-b'],
    ['${A:-${B}}', { B: 'b' }, 'b'],
    ['${A:-${B}}', { A: 'a' }, 'a'],
    ['${A:-${B:-${C:-c}}}', { B: '' }, 'c'],
    ['${A:-x${B}y${C:-}z}!', { B: 'b' }, 'xbyz!'],
    ['${A:-$${B}', {}, '${B'],
    ['${A:-{b}', {}, '{b'],
    ['"${A}-${B}"', { A: '1', B: '2' }, '1-2'],
    ['$${A}', { A: 'x' }, '${A}'],
    ['$$${A}', { A: 'x' }, '$${A}'],
    ['$A', { A: 'x' }, '$A'],
    ['${A}', { A: '${B}' }, '${B}'],
    ['${A}', { A: 'a: [b]\n# c' }, 'a: [b]\n# c'],
    ['|-\n        a ${A}\n        b', { A: 'x' }, 'a x\nb'],
  ])('%s with %j is %j', (value, env, expected) => {
    expect(setting(value, env)).toBe(expected);
  });

  test('is filled in inside lists and through aliases', () => {
    const text = 'plugins: { a: { path: x, config: { v: [&a "${A}", *a] } } }';
    expect(load(text, { A: 'x' }).plugins[0]?.config['v']).toEqual(['x', 'x']);
  });

  test('is taken from the last anchor before the alias', () => {
    const text = 'plugins: { a: { path: x, config: { b: &b [&a "${A}"], c: &a 2, d: *b, e: *a } } }';
    expect(load(text, { A: 'x' }).plugins[0]?.config).toEqual({ b: ['x'], c: 2, d: ['x'], e: 2 });
  });

  test('is found under a key that looks like a path', () => {
    const text = 'plugins: { a: { path: x, config: { "a/b~c": "${A}", a: { b~c: 1 } } } }';
    expect(rejection(text).problems).toMatchObject([{ column: 45, path: 'plugins.a.config["a/b~c"]' }]);
    expect(load(text, { A: 'x' }).plugins[0]?.config).toEqual({ 'a/b~c': 'x', a: { 'b~c': 1 } });
  });

  test('does not replace keys', () => {
    const text = 'plugins: { a: { path: x, config: { "${A}": 1 } } }';
    expect(load(text, { A: 'x' }).plugins[0]?.config).toEqual({ '${A}': 1 });
  });

  test.each(['constructor', 'toString', '__proto__'])('%s is not set', (name) => {
    expect(rejection(`name: \${${name}}`).code).toBe('BW_CONFIG_VARIABLE');
  });
});

describe('an unquoted variable where any type is allowed', () => {
  test.each([
    ['8080', 8080],
    ['-1.5', -1.5],
    ['true', true],
    ['false', false],
    ['0123', '0123'],
    ['1.0', '1.0'],
    ['1e5', '1e5'],
    ['0x10', '0x10'],
    ['True', 'True'],
    ['null', 'null'],
    ['Infinity', 'Infinity'],
    ['NaN', 'NaN'],
    [' 1', ' 1'],
    ['99999999999999999999', '99999999999999999999'],
  ])('holding %j is %j', (text, expected) => {
    expect(setting('${A}', { A: text })).toBe(expected);
    expect(setting('"${A}"', { A: text })).toBe(text);
    expect(setting('x${A}', { A: text })).toBe(`x${text}`);
  });
});

describe('a variable where only one type is allowed', () => {
  test.each(['${P}', '"${P}"', "'${P}'"])('%s is a number', (value) => {
    expect(load(`server:\n  port: ${value}\n`, { P: '9000' }).server.port).toBe(9000);
  });

  test.each(['${T}', '"${T}"'])('%s is a text', (value) => {
    expect(load(`admin:\n  token: ${value}\n`, { T: '12345' }).admin.token).toBe('12345');
  });

  test('becomes a boolean, a duration or a size', () => {
    const config = load(
      'admin: { enabled: "${E}" }\nserver: { body_limit: "${S}", shutdown: { delay: "${D}", timeout: "${N}" } }',
      { E: 'false', S: '2KiB', D: '3s', N: '250' },
    );
    expect(config.admin.enabled).toBe(false);
    expect(config.server.bodyLimitBytes).toBe(2048);
    expect(config.server.shutdown).toEqual({ delayMs: 3000, timeoutMs: 250 });
  });

  test('keeps an empty token empty', () => {
    expect(load('admin: { token: "${ADMIN_TOKEN:-}" }').admin.token).toBe('');
  });
});

describe('a malformed reference', () => {
  test.each(['${}', '${1A}', '${A', '${A-b}', '${A B}', '${A:d}', '${B:-${A}', '${A:-${1}'])(
    '%s is rejected',
    (reference) => {
      const error = rejection(`name: "x ${reference}"`, { A: 'x' });
      expect(error.code).toBe('BW_CONFIG_VARIABLE');
      expect(error.message).toBe(
        `backworks.yaml:1:7: name: expected \${NAME} or \${NAME:-default}, found ${JSON.stringify(reference)}` +
          ' — write $${ for the characters ${',
      );
    },
  );

  test.each(['"${NONE}"', 'plugins: "${NONE}"', 'plugins: { a: "${NONE}" }', 'endpoints: "${NONE}"'])(
    'may replace a whole block: %s',
    (text) => {
      const { problems } = rejection(text);
      expect(problems).toMatchObject([{ message: 'the variable NONE is not set' }]);
    },
  );

  test('in the default of a variable is reported even if the default is not used', () => {
    for (const env of [{}, { A: 'x' }]) {
      expect(rejection('name: ${A:-${B-c}}', env).problems).toMatchObject([{ column: 7, found: '"${B-c}"' }]);
    }
    expect(rejection('name: ${A:-${B}}').message).toBe(
      'backworks.yaml:1:7: name: the variable B is not set — set it, or give a default: ${B:-default}',
    );
    const deep = `name: ${'${A:-'.repeat(17)}${'}'.repeat(17)}`;
    expect(rejection(deep).code).toBe('BW_CONFIG_VARIABLE');
  });

  test('neither hides nor causes another problem', () => {
    const error = rejection('server:\n  port: ${PORT}\n  prot: 1\nname: ${A}${B}\n');
    expect(error.code).toBe('BW_CONFIG_INVALID');
    expect(error.problems.map(({ line, path }) => [line, path])).toEqual([
      [2, 'server.port'],
      [3, 'server.prot'],
      [4, 'name'],
      [4, 'name'],
    ]);
  });
});

describe('messages never show the content of a variable', () => {
  const SECRET = 'hunter2//me:hunter2@';
  const texts = [
    'server: { port: "${S}" }',
    'server: { host: "${S}" }',
    'server: { workers: "${S}" }',
    'server: "${S}"',
    'logging: { level: "x${S}" }',
    'admin: { token: "${S}  " }',
    'endpoints: { a: { path: "${S}" } }',
    'endpoints: { a: { path: "/${S}" } }',
    'endpoints: { a: { path: "/{p}/{p}/${S}" } }',
    'endpoints: { a: { path: /a, plugin: "${S}" } }',
    'endpoints: { a: { path: /a, plugin: "${P}" } }',
    'endpoints: { a: { path: /a, methods: ["${S}"] } }',
    'endpoints: { a: { path: /a, proxy: { target: "${S}" } } }',
    'endpoints: { a: { path: /a, proxy: { target: "ftp://${S}" } } }',
    'endpoints: { a: { path: "/${P}" }, b: { path: "/${P}" } }',
    'endpoints: { a: { path: "/:${P}" } }',
    'plugins: { auto_discover: { directories: ["${S}", "${S}"] } }',
    'plugins: { a: { path: x, config: "${S}" } }',
    'plugins: { a: { path: x, sandbox: "${S}" } }',
    'plugins: { a: { path: x, retry: { on: ["${S}"] } } }',
    'plugins: { a: { path: x, permissions: { env: ["${S}"] } } }',
    'plugins: { a: { path: x, permissions: { env: ["LD_${P}"] } } }',
    'plugins: { a: { path: x, permissions: { network: { connect: ["${S}"] } } } }',
    'plugins: { a: { path: x, permissions: { filesystem: { read: ["${P}\\0"] } } } }',
    'plugins: { a: { path: x, limits: { idle_cpu: "${S}" } } }',
    'plugins: { a: { path: x, restart: { delay: "${S}" } } }',
    'admin: { token: "${P}", read_token: "${P}" }',
    'plugins: { a: "${S}" }',
    '"${S}"',
  ];
  test.each(texts)('in the error of %s', (text) => {
    const error = rejection(text, { S: SECRET, P: 'hunter2' });
    expect(JSON.stringify(error) + String(error) + String(error.stack)).not.toContain('hunter2');
    expect(error.problems.length).toBeGreaterThan(0);
  });

  test('but they show its name', () => {
    expect(rejection('server: { port: "${S}" }', { S: SECRET }).message).toBe(
      'backworks.yaml:1:17: server.port: expected a whole number from 0 to 65535, found the value of ${S}',
    );
    expect(rejection('server: { port: "${S:-x}" }').problems[0]?.found).toBe('the default of ${S}');
    expect(rejection('server: { port: "${T:-${S}}" }', { S: SECRET }).problems[0]?.found).toBe(
      'the value of ${S}',
    );
    expect(rejection('server: { port: "${S}1" }', { S: SECRET }).problems[0]?.found).toBe(
      'a text with the value of ${S}',
    );
  });

  test('and never show a token or setting of the file', () => {
    expect(rejection('admin: { token: "hunter2 " }').message).not.toContain('hunter2');
    expect(rejection('plugins: { a: { path: x, config: hunter2 } }').message).not.toContain('hunter2');
    expect(rejection('admin: { token: [a] hunter2 }').message).not.toContain('hunter2');
  });
});
