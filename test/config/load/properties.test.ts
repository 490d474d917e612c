import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ConfigError, parseConfig } from '../../../dist/config/load/load.js';
import { editDistance, nearest } from '../../../dist/config/source/nearest.js';
import {
  formatDuration,
  formatSize,
  parseDuration,
  parsePercentage,
  parseSize,
} from '../../../dist/config/source/units.js';

const SAMPLE = `name: \${NAME:-a}
server: { port: "\${PORT}", body_limit: 1MiB, shutdown: { timeout: 10s } }
endpoints:
  city: &e { path: "/weather/{city}", methods: [GET], plugin: weather }
  hello: { path: /hello, response: { status: 200, headers: { a: b }, body: { hello: world } } }
  legacy: { path: "/legacy/*", proxy: { target: "http://127.0.0.1:9000", timeout: 1s } }
plugins:
  weather:
    type: external
    path: ./plugins/weather.so
    config: { api_key: "\${KEY}", list: [1, 2.5, ~, true] }
    timeouts: { call: 100ms }
    retry: { attempts: 2, on: [crash] }
    limits: { reply: 8MiB, queue: 64, memory: 64MiB, open_files: 32, idle_cpu: 5% }
    sandbox: strict
    permissions:
      filesystem: { read: [./data, "\${KEY}"], write: [/tmp/a] }
      network: { connect: [443], listen: ["\${PORT}"], udp: true }
      env: [TZ, LANG]
    restart: { delay: 1s, max_delay: 1m }
    recycle: { memory: 32MiB }
  auto_discover: { enabled: true, directories: [./plugins] }
environments:
  production: &p
    server: { port: ~, shutdown: { delay: 1s } }
    endpoints: { city: { proxy: { target: "http://127.0.0.1:\${PORT}" } }, hello: ~ }
    plugins: { weather: { config: { list: [2], more: "\${NONE:-x}" }, limits: { queue: 1 } } }
  staging: *p
`;

const env = { PORT: '80', KEY: 'secret' };

/** How many times as many texts as in `npm test`. `npm run test:fuzz` sets it. */
const SCALE = Number(process.env['BACKWORKS_PROPERTY_SCALE'] ?? 1);

/**
 * Loads a text, or checks that every problem of the ConfigError is inside the file. Any other error fails the
 * test.
 */
function settle(text: string): void {
  // About half of the texts are loaded with an overlay.
  const environment = text.length % 2 === 0 ? 'production' : undefined;
  try {
    const { config } = parseConfig(text, { directory: '/srv', env, environment });
    expect(Object.isFrozen(config)).toBe(true);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = text.split(/\r\n|\r|\n/).length;
    expect(error.problems.length).toBeGreaterThan(0);
    for (const { line, column } of error.problems) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines);
      expect(column).toBeGreaterThanOrEqual(1);
    }
  }
}

test('any text loads or is a ConfigError', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), settle), { numRuns: 300 * SCALE });
});

test('any text of YAML characters loads or is a ConfigError', () => {
  const unit = fc.constantFrom(...'ab1 \n\t-:?,[]{}#&*!|>\'"%@`$~.<=\\');
  fc.assert(fc.property(fc.string({ unit, maxLength: 60 }), settle), { numRuns: 500 * SCALE });
});

test('any JSON value loads or is a ConfigError', () => {
  fc.assert(fc.property(fc.json(), settle), { numRuns: 300 * SCALE });
});

test('a sample with a piece replaced loads or is a ConfigError', () => {
  expect(
    parseConfig(SAMPLE, { directory: '/srv', env, environment: 'staging' }).config.endpoints,
  ).toHaveLength(2);
  const piece = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom(
      '${',
      '}',
      '*e',
      '&e ',
      ': ',
      '\n',
      '__proto__',
      'constructor',
      '[',
      '{',
      '"',
      'null',
      '-1',
      '1e999',
    ),
  );
  const position = fc.nat(SAMPLE.length);
  fc.assert(
    fc.property(position, fc.nat(12), piece, (at, removed, inserted) =>
      settle(SAMPLE.slice(0, at) + inserted + SAMPLE.slice(at + removed)),
    ),
    { numRuns: 500 * SCALE },
  );
});

test('a sample with any value at any key loads or is a ConfigError', () => {
  const keys = [...SAMPLE.matchAll(/[a-z_]+(?=: )/g)];
  const value = fc.oneof(
    fc.json({ maxDepth: 2 }),
    fc.constantFrom('*e', '"${KEY}"', '"${NONE}"', '!!int x', '.nan'),
  );
  fc.assert(
    fc.property(fc.constantFrom(...keys), value, (key, replacement) => {
      const end = key.index + key[0].length + 2;
      const tail = SAMPLE.slice(end).replace(/^(?:"[^"]*"|[^,}\]\n {[]+)/, () => replacement);
      settle(SAMPLE.slice(0, end) + tail);
    }),
    { numRuns: 400 * SCALE },
  );
});

test('a formatted duration or size parses to the same amount', () => {
  fc.assert(fc.property(fc.maxSafeNat(), (ms) => parseDuration(formatDuration(ms)) === ms));
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseSize(formatSize(bytes)) === bytes));
  const factors = fc.constantFrom(1e3, 1e6, 1e9, 1024, 1024 ** 2, 1024 ** 3);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), factors, (count, factor) => {
      expect(parseSize(formatSize(count * factor))).toBe(count * factor);
    }),
  );
});

test('a percentage means the same with and without its sign', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9999 }), (percent) => {
      const limit = (text: string) =>
        parseConfig(`plugins: { a: { path: x, limits: { idle_cpu: ${text} } } }`, { directory: '/', env })
          .config.plugins[0]?.limits.idleCpuPercent;
      expect([limit(`${percent}`), limit(`${percent}%`)]).toEqual([percent, percent]);
      expect(parsePercentage(`${percent}%`)).toBe(percent);
    }),
    { numRuns: 50 },
  );
});

test('every duration and size that the schema accepts has its value in the configuration', () => {
  const duration = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 999_999_999 }), fc.constant(['ms', 1] as const)),
    fc.tuple(fc.integer({ min: 1, max: 999_999 }), fc.constant(['s', 1000] as const)),
    fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.constant(['m', 60_000] as const)),
    fc.tuple(fc.integer({ min: 1, max: 99 }), fc.constant(['h', 3_600_000] as const)),
  );
  const size = fc.tuple(
    fc.integer({ min: 1, max: 999_999 }),
    fc.constantFrom(
      ['B', 1],
      ['kB', 1e3],
      ['KB', 1e3],
      ['MB', 1e6],
      ['GB', 1e9],
      ['KiB', 2 ** 10],
      ['MiB', 2 ** 20],
      ['GiB', 2 ** 30],
    ),
  );
  fc.assert(
    fc.property(duration, size, ([time, [unit, ms]], [amount, [sizeUnit, bytes]]) => {
      const text = `plugins: { a: { path: x, timeouts: { call: ${time}${unit} }, recycle: { memory: ${amount}${sizeUnit} } } }`;
      const plugin = parseConfig(text, { directory: '/srv', env }).config.plugins[0];
      expect(plugin?.timeouts.callMs).toBe(time * ms);
      expect(plugin?.recycle.memoryBytes).toBe(amount * Number(bytes));
    }),
  );
});

test('edit distance is symmetric, zero only for equal words, and one for a swap of neighbours', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
  expect(editDistance('timeouts', 'timoeuts')).toBe(1);
  expect(editDistance('', 'abc')).toBe(3);
  expect(nearest('Plugin', ['plugins', 'proxy'])).toBe('plugins');
  expect(nearest('colour', ['level', 'format'])).toBeUndefined();
});
