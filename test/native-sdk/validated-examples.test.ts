/** `plugin validate` finds nothing in the plugins of examples/. templates.test.ts has the same for the templates. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const TEST_MS = 300_000;

/** The journal of the FIX session. The processes run as another user. */
const store = mkdtempSync(join(tmpdir(), 'backworks-validated-'));
chmodSync(store, 0o777);
afterAll(() => rmSync(store, { recursive: true, force: true }));

interface Output {
  readonly plugins: readonly {
    readonly checks: readonly { readonly name: string; readonly outcome: string }[];
  }[];
}

/** Example, plugin, and the command that builds the library; `npm test` has built those of the weather example. */
const PLUGINS: readonly (readonly [example: string, plugin: string, build: string | null])[] = [
  ['weather', 'weather', null],
  ['weather', 'weather-rust', null],
  ['modbus', 'modbus', 'make -C examples/modbus'],
  ['hl7', 'hl7', 'go -C examples/hl7 build -buildmode=c-shared -o plugins/libhl7.so'],
  [
    'fix',
    'fix',
    'cmake -S examples/fix -B examples/fix/build -DCMAKE_BUILD_TYPE=RelWithDebInfo && cmake --build examples/fix/build',
  ],
];

test.each(PLUGINS)(
  'the example %s: plugin validate --strict finds nothing in %s',
  (example, plugin, build) => {
    if (build !== null) {
      const env = { ...process.env, GOFLAGS: '-buildvcs=false', GOPROXY: 'off', GOWORK: 'off' };
      execFileSync('sh', ['-c', build], { cwd: root, env, stdio: 'pipe' });
    }
    const { stdout, status } = spawnSync(
      process.execPath,
      [
        `${root}dist/cli/main.js`,
        '--json',
        '--config',
        'backworks.yaml',
        'plugin',
        'validate',
        '--strict',
        plugin,
      ],
      { cwd: `${root}examples/${example}`, encoding: 'utf8', env: { ...process.env, FIX_STORE: store } },
    );
    const checks = (JSON.parse(stdout) as Output).plugins[0]?.checks ?? [];
    expect(checks.length).toBeGreaterThan(10);
    expect(checks.filter(({ outcome }) => outcome !== 'passed' && outcome !== 'unavailable')).toEqual([]);
    // A machine without strace cannot check everything, which --strict reports.
    expect(status).toBe(checks.some(({ outcome }) => outcome === 'unavailable') ? 4 : 0);
  },
  TEST_MS,
);
