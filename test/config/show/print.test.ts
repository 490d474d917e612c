/** The printed configuration, read again, is the same configuration. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { differences } from '../../../dist/config/show/diff.js';
import { loadEffective, type LoadOptions, parseConfig } from '../../../dist/config/load/load.js';
import { printConfig } from '../../../dist/config/show/print.js';
import { formatOrigin, originsOf, shownConfig } from '../../../dist/config/show/shown.js';
import { rejection } from '../load/rejection.js';

const FILE = `server: { port: "\${PORT}", host: "\${HOST:-0.0.0.0}" }
admin: { token: hunter2, read_token: "\${READ}" }
endpoints:
  a: { path: /a, methods: [GET, POST], plugin: weather, body_limit: 16MiB }
  b: { path: /b, response: { body: { l: [{ a: 1 }, ~, [x]], e: {}, n: ~ } } }
plugins:
  weather:
    path: ./w.so
    config:
      plain: \${PORT}
      text: "\${PORT}"
      part: x\${PORT}
      list: ["\${PORT}", "$\${x}", "a # b"]
      "a.b": "0123"
      lines: "x\\ny"
      "<<": "yes"
  clock: { path: ./c.so }
environments:
  production:
    server: { port: 80 }
    plugins: { weather: { critical: true, config: { part: "\${HOST:-h}" } } }
`;
const env = { PORT: '8000', READ: 'hunter3' };

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'backworks-print-'));
});
afterAll(() => rm(directory, { recursive: true }));

let count = 0;
async function effective(text: string, options: LoadOptions = {}) {
  const file = join(directory, `${(count += 1)}.yaml`);
  await writeFile(file, text);
  return (await loadEffective(file, { env, ...options })).source;
}

const lineOf = (text: string, key: string): string =>
  text.split('\n').find((line) => line.trimStart().startsWith(`${key}:`)) ?? '';

describe('a printed configuration', () => {
  test.each([[undefined], ['production']])(
    'with the environment %s gives the same configuration when it is read again',
    async (environment) => {
      const source = await effective(FILE.replace('hunter2', '""'), { environment });
      const printed = printConfig(source, { origins: false });
      const options = { directory: '/srv', env };
      const { config } = parseConfig(printed, options);
      expect(config).toEqual(parseConfig(FILE.replace('hunter2', '""'), { ...options, environment }).config);
      expect(parseConfig(printConfig(source, { origins: true }), options).config).toEqual(config);
      expect(parseConfig(JSON.stringify(shownConfig(source)), options).config.server).toEqual(config.server);
    },
  );

  test('shows neither secrets nor the contents of variables', async () => {
    const source = await effective(FILE);
    const everything =
      printConfig(source, { origins: true }) + JSON.stringify([shownConfig(source), originsOf(source)]);
    expect(everything).not.toMatch(/hunter|8000/);
    expect(lineOf(everything, 'read_token')).toContain('${READ}');
    // The replacement for a secret is not a valid secret, so it cannot be used by mistake.
    expect(rejection(`admin: { token: ${JSON.stringify(shownConfig(source)['admin'])} }`).code).toBe(
      'BW_CONFIG_INVALID',
    );
    const token = /token: (.*)/.exec(printConfig(source, { origins: false }))?.[1] ?? '';
    expect(rejection(`admin: { token: ${token} }`).message).toContain('a token of visible ASCII characters');
  });

  test('has the keys in the order of the schema, and names in the order of the file', async () => {
    const shown = shownConfig(
      await effective('plugins: { b: { path: x }, auto_discover: {}, a: { path: y } }\nname: n'),
    );
    expect(Object.keys(shown).slice(0, 4)).toEqual(['config_version', 'name', 'version', 'description']);
    expect(Object.keys(shown['plugins'] as object)).toEqual(['b', 'a', 'auto_discover']);
    expect(Object.keys(shown)).not.toContain('environments');
  });

  test('preserves any plugin configuration', async () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), value), async (config) => {
        const escaped = JSON.stringify(config).replaceAll('${', () => '$${');
        const text = `plugins: { a: { path: x, config: ${escaped} } }`;
        const loaded = parseConfig(text, { directory: '/', env: {} }).config;
        const printed = printConfig(await effective(text), { origins: true });
        expect(parseConfig(printed, { directory: '/', env: {} }).config).toEqual(loaded);
      }),
      { numRuns: 60 },
    );
  });
});

test('with origins, every value has a comment that says where it came from', async () => {
  const source = await effective(FILE, {
    environment: 'production',
    overrides: [
      { assignment: 'logging.level=debug', layer: { kind: 'variable', name: 'BACKWORKS_SET' } },
      { assignment: 'name=${PORT}', layer: { kind: 'flag', name: '--set' } },
    ],
  });
  const file = join(directory, `${count}.yaml`);
  const origins = originsOf(source);
  const text = (path: string) => formatOrigin(origins[path] ?? { from: 'default' });
  expect(text('server.port')).toBe(`environment production ${file}:20:21`);
  expect(text('server.host')).toBe(`${file}:1:34`);
  expect(text('admin.read_token')).toBe(`variable READ, ${file}:2:38`);
  expect(text('logging.level')).toBe('variable BACKWORKS_SET');
  expect(text('name')).toBe('variable PORT, flag --set');
  expect(text('endpoints.a.methods[0]')).toBe('default');
  expect(text('endpoints.a.methods')).toBe(`${file}:4:27`);
  expect(text('plugins.weather.critical')).toBe(`environment production ${file}:21:37`);
  expect(text('endpoints.a.body_limit')).toBe(`${file}:4:69`);
  expect(origins['server.body_limit']).toEqual({ from: 'default' });
  expect(origins['server.port']).toEqual({
    from: 'environment',
    environment: 'production',
    file,
    line: 20,
    column: 21,
  });
  const printed = printConfig(source, { origins: true }).trimEnd().split('\n');
  const silent = printed.filter((line) => !/ # \S/.test(line) && !/^ *(- )?[\w".<-]+:$|^ *-$/.test(line));
  expect(silent.map((line) => line.trim())).toEqual(['x', 'y']);
});

describe('a difference', () => {
  const between = async (a: string, b: string) => differences(await effective(a), await effective(b));

  test('does not exist between two notations of the same value', async () => {
    const a = `server: { body_limit: 1024, shutdown: { delay: 1s } }
endpoints: { e: { path: /, methods: [GET, POST], body_limit: 2048 } }
plugins: { a: { path: x, limits: { idle_cpu: 20%, queue: 1024 }, config: { a: 1, b: 2 } } }`;
    const b = `plugins: { a: { limits: { idle_cpu: 20 }, path: "x", config: { b: 2, a: 1 }, enabled: true } }
endpoints: { e: { body_limit: 2KiB, methods: [POST, GET], path: / } }
server: { shutdown: { delay: 1000 }, body_limit: 1KiB }
environments: { a: { name: other } }`;
    expect(await between(a, b)).toEqual([]);
    expect(await between(FILE, FILE)).toEqual([]);
  });

  test('is a key that was added, removed, changed or reordered', async () => {
    const a = 'plugins: { a: { path: x, priority: 1 }, b: { path: y, config: { v: 1s } } }';
    const b = `server: { port: 1 }
plugins: { c: { path: z, limits: { queue: 1 } }, b: { path: y, config: { v: 1000 } }, a: { path: x } }`;
    expect(await between(a, b)).toEqual([
      { path: 'plugins.a.priority', change: 'removed', from: 1, to: null, hidden: false },
      { path: 'plugins.b.config.v', change: 'changed', from: '1s', to: 1000, hidden: false },
      {
        path: 'plugins.c',
        change: 'added',
        from: null,
        to: { path: 'z', limits: { queue: 1 } },
        hidden: false,
      },
      { path: 'plugins', change: 'reordered', from: ['a', 'b'], to: ['b', 'a'], hidden: false },
      { path: 'server.port', change: 'changed', from: 8080, to: 1, hidden: false },
    ]);
  });

  test('between secrets is reported without the values', async () => {
    expect(await between('admin: { token: hunter2 }', 'admin: { token: hunter3 }')).toEqual([
      { path: 'admin.token', change: 'changed', from: '(not shown)', to: '(not shown)', hidden: true },
    ]);
  });

  test('exists exactly when the loaded configurations differ', async () => {
    const setting = fc.record(
      {
        port: fc.constantFrom(1, 2),
        delay: fc.constantFrom('1s', '"1000ms"', '1000', '2s'),
        limit: fc.constantFrom('1024B', '1KiB', '1024', '1kB'),
        methods: fc.constantFrom('[GET]', '[GET, POST]', '[GET]'),
      },
      { requiredKeys: [] },
    );
    const text = ({
      port,
      delay,
      limit,
      methods,
    }: {
      port?: number;
      delay?: string;
      limit?: string;
      methods?: string;
    }) =>
      [
        port === undefined ? '' : `logging: { level: ${port === 1 ? 'info' : 'warn'} }`,
        `server: { ${delay === undefined ? '' : `shutdown: { delay: ${delay} },`} ${limit === undefined ? '' : `body_limit: ${limit}`} }`,
        `endpoints: { e: { path: /, ${methods === undefined ? '' : `methods: ${methods}`} } }`,
      ].join('\n');
    await fc.assert(
      fc.asyncProperty(setting, setting, async (a, b) => {
        const load = (one: typeof a) =>
          JSON.stringify(parseConfig(text(one), { directory: '/', env: {} }).config);
        expect((await between(text(a), text(b))).length === 0).toBe(load(a) === load(b));
      }),
      { numRuns: 30 },
    );
  });
});
