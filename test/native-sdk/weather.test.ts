/** The weather example in all five languages, built and served by the commands of its README. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeBlocksOf, documentedCommands, sectionOf } from '../fixtures/markdown.js';
import { eventually, startServer } from '../fixtures/server.js';
import { startProgram, type StartedProgram } from '../fixtures/started-program.js';
import { root, target } from './language.js';
import { zigIsMissing } from './zig-plugins.js';

const BUILD_MS = 1_200_000;
const TEST_MS = 120_000;
const EXAMPLE = join(root, 'examples/weather');

const section = sectionOf(readFileSync(join(EXAMPLE, 'README.md'), 'utf8'), 'All five languages');
const [build = '', start = ''] = codeBlocksOf(section)
  .filter(({ language }) => language === 'sh')
  .map(({ text }) => text.trim());

const withZig = zigIsMissing === null;
/** The languages, by the beginning of their paths. */
const LANGUAGES = { '': 'weather', '/rust': 'weather-rust', '/cpp': 'weather-cpp', '/go': 'weather-go' };
const all: Record<string, string> = withZig ? { ...LANGUAGES, '/zig': 'weather-zig' } : LANGUAGES;
const others = Object.keys(all).filter((prefix) => prefix !== '');

let server: StartedProgram;

beforeAll(async () => {
  const zigCache = join(target, 'zig/cache');
  mkdirSync(zigCache, { recursive: true });
  const lines = build.split('\n').filter((line) => withZig || !line.includes('zig build'));
  const env = {
    ...process.env,
    PATH: `${process.env['PATH']}${delimiter}${join(root, 'build/zig/ziglang')}`,
    GOFLAGS: '-buildvcs=false',
    GOPROXY: 'off',
    ZIG_GLOBAL_CACHE_DIR: zigCache,
  };
  execFileSync('sh', ['-euc', lines.join('\n')], { cwd: root, env, stdio: 'pipe' });
  const command = start.replace('npx backworks', `${process.execPath} dist/cli/main.js`).split(' ');
  server = await startProgram(command, {
    ready: /listening on (http:\/\/[\d.]+:\d+)/,
    env: { PORT: '0', ADMIN_PORT: '0', WEATHER_CITY: '', WEATHER_API_KEY: '' },
  });
}, BUILD_MS);

describe('README.md', () => {
  const commands = documentedCommands(section).filter(({ command }) => withZig || !command.includes('/zig/'));

  test('shows a request to every language', () => {
    for (const prefix of Object.keys(all))
      expect(commands.some(({ command }) => command.includes(`8080${prefix}/weather/Reykjavik`))).toBe(true);
  });

  test.each(commands)('the answer to $command is the documented one', ({ command, output }) => {
    const line = command.replace('http://127.0.0.1:8080', server.said);
    expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' }).trim()).toBe(output.trim());
  });
});

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly source: string | null;
  readonly body: unknown;
}

/** The answer of one language, without the name of its plugin. */
async function ask(prefix: string, path: string): Promise<Answer> {
  const response = await fetch(`${server.said}${prefix}/weather/${path}`);
  const source = response.headers.get('x-weather-source');
  expect([null, `${all[prefix]}/1.0.0`]).toContain(source);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    source: source === null ? null : 'the plugin',
    body: await response.json(),
  };
}

test.each([
  ['a city of the table', 'Oslo', 200],
  ['a city in other letters', 'oSLO?units=imperial', 200],
  ['letters beyond ASCII', '%C5%BDILINA', 200],
  ['characters that JSON escapes', 'x%22%5C%0A?units=metric', 200],
  ['the longest name', 'x'.repeat(127), 200],
  ['a longer name', 'x'.repeat(128), 400],
  ['unknown units', 'Oslo?units=kelvin', 400],
  ['empty units', 'Oslo?units=', 400],
  ['units twice', 'Oslo?units=metric&units=metric', 400],
])(
  'every language answers %s as C does',
  async (_, path, status) => {
    const expected = await ask('', path);
    expect(expected.status).toBe(status);
    for (const prefix of others) expect([prefix, await ask(prefix, path)]).toEqual([prefix, expected]);
  },
  TEST_MS,
);

test(
  'every language answers any name as C does',
  async () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((text) => Buffer.from(text).toString() === text && !/[\0/]|^\.{1,2}$/.test(text));
    await fc.assert(
      fc.asyncProperty(name, fc.constantFrom('metric', 'imperial'), async (city, units) => {
        const path = `${encodeURIComponent(city)}?units=${units}`;
        const expected = await ask('', path);
        for (const prefix of others) expect([prefix, await ask(prefix, path)]).toEqual([prefix, expected]);
      }),
      { numRuns: 100 },
    );
  },
  TEST_MS,
);

/** The plugins that are made with an SDK. */
const libraries = [
  ['weather-cpp', 'cpp/build/libweather_cpp.so'],
  ['weather-go', 'go/build/libweather_go.so'],
  ...(withZig ? [['weather-zig', 'zig/zig-out/lib/libweather_zig.so']] : []),
] as [string, string][];

test(
  'the plugins of the SDKs say why they refuse a configuration, and what is wrong with one that they accept',
  async () => {
    const plugins = (city: string, more = ''): string =>
      libraries
        .map(
          ([name, file]) =>
            `${name}: { path: ${join(EXAMPLE, file)}, config: { default_city: ${city} }${more} }`,
        )
        .join('\n  ');
    const refused = await startServer(`plugins:\n  ${plugins('x'.repeat(128))}\n`);
    for (const [name] of libraries)
      expect([name, refused.plugin(name)]).toEqual([
        name,
        expect.objectContaining({ state: 'failed', reason: expect.stringContaining('1 to 127 bytes') }),
      ]);
    const accepted = await startServer(
      `plugins:\n  ${plugins('Nowhere', ', health: { interval: 100ms }')}\n`,
    );
    for (const [name] of libraries)
      await eventually(() => accepted.plugin(name).state === 'degraded', `${name} is degraded`);
  },
  TEST_MS,
);

test('the server stops in order', async () => {
  expect(await server.end()).toBe(0);
});
