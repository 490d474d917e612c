/** `plugin validate` finds nothing in the plugins of examples/. templates.test.ts has the same for the templates. */
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const TEST_MS = 300_000;

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
      { cwd: `${root}examples/${example}`, encoding: 'utf8' },
    );
    const checks = (JSON.parse(stdout) as Output).plugins[0]?.checks ?? [];
    expect(checks.length).toBeGreaterThan(10);
    expect(checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
    expect(status).toBe(0);
  },
  TEST_MS,
);
