/** `plugin validate` names the fault of every library in test/fixtures/plugins/defects, and of some others. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type ValidationReport, validatePlugin } from '../../dist/index.js';
import { findProgram } from '../../dist/native/binaries.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';

ownCache();

/** One defect may need many deadlines on a machine that is busy. */
const DEFECT_MS = 240_000;
const directory = fileURLToPath(new URL('../../test/fixtures/plugins/defects/', import.meta.url));
const FINDINGS = ['warning', 'failed', 'crashed', 'timeout'];

interface Expected {
  readonly library: string;
  readonly check: string;
  readonly outcome: string;
  readonly detail: string;
  /** A program without which a validation does not find the fault; null when there is none. */
  readonly needs: string | null;
}

/** What the comment at the start of a file says. */
function expectedOf(file: string): Expected {
  const source = readFileSync(directory + file, 'utf8');
  const line = /^ \* Finding: (.+?) \| (.+?) \| (.+)$/m.exec(source);
  if (line === null) throw new Error(`${file} has no line "Finding: CHECK | OUTCOME | DETAIL"`);
  const [, check = '', outcome = '', detail = ''] = line;
  const needs = /^ \* Needs: (.+)$/m.exec(source)?.[1] ?? null;
  return { library: `defects/${parse(file).name}`, check, outcome, detail, needs };
}

const own = readdirSync(directory)
  .filter((file) => !file.endsWith('.h'))
  .map(expectedOf);

/** Libraries that other tests have too. */
const others: readonly Expected[] = [
  ['missing_vtable', 'file', 'failed', 'plugin_vtable'],
  ['undefined_symbol', 'load and describe', 'failed', 'undefined symbol'],
  ['newer_abi', 'load and describe', 'failed', 'ABI'],
  ['host_range', 'load and describe', 'failed', 'needs Backworks'],
  ['crash_constructor', 'load and describe', 'crashed', 'SIGSEGV'],
  ['hang_constructor', 'load and describe', 'timeout', 'did not finish loading'],
  ['crash_segv', 'process_endpoint', 'crashed', 'SIGSEGV'],
  ['hang', 'process_endpoint', 'timeout', 'did not answer'],
  ['heap_overflow', 'process_endpoint', 'crashed', 'SIGABRT'],
].map(([library = '', check = '', outcome = '', detail = '']) => ({
  library,
  check,
  outcome,
  detail,
  needs: null,
}));

const table: string[] = [];
afterAll(() => {
  process.stdout.write(`${table.join('\n')}\n`);
});

/** The findings of a report, each as a line. */
function findingsOf({ checks }: ValidationReport): string[] {
  return checks
    .filter(({ outcome }) => FINDINGS.includes(outcome))
    .map(({ name, outcome, detail }) => `${name} | ${outcome} | ${detail}`);
}

describe('a validation', () => {
  test.each([...own, ...others])(
    'of $library finds: $check $outcome',
    async ({ library, check, outcome, detail, needs }) => {
      const withoutSandbox = needs === 'valgrind';
      const report = await validatePlugin(compilePlugin(library), undefined, { withoutSandbox });
      if (needs !== null && findProgram(needs) === null) {
        const said = report.checks
          .filter((each) => each.outcome === 'unavailable')
          .map((each) => each.detail);
        expect(said).toContainEqual(expect.stringContaining(`${needs} is not installed`));
        return;
      }
      const found = findingsOf(report);
      const named = found.find(
        (line) => line.startsWith(`${check} | ${outcome} | `) && line.includes(detail),
      );
      table.push(`${library.padEnd(36)} ${(named ?? `NOT NAMED, but: ${found.join('; ')}`).slice(0, 140)}`);
      expect(named ?? found).toEqual(expect.any(String));
    },
    DEFECT_MS,
  );

  test(
    'takes a plugin that looks at the time it has left for one that answers in time',
    async () => {
      const report = await validatePlugin(compilePlugin('looks_at_deadline'), undefined, { quick: true });
      expect(report.checks).toContainEqual(
        expect.objectContaining({
          name: 'process_endpoint: deadline',
          outcome: 'passed',
          detail: 'it looks at the time that is left, and answers within timeouts.call (100 ms)',
        }),
      );
    },
    DEFECT_MS,
  );

  test('says how to check a library that was built with a sanitizer', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'backworks-sanitizer-')), 'echo.so');
    const include = fileURLToPath(new URL('../../native-sdk/include', import.meta.url));
    const source = fileURLToPath(new URL('../../test/fixtures/plugins/echo.c', import.meta.url));
    execFileSync('cc', ['-fsanitize=address', '-shared', '-fPIC', `-I${include}`, '-o', path, source]);
    const { checks } = await validatePlugin(path);
    rmSync(dirname(path), { recursive: true });
    expect(checks).toEqual([
      expect.objectContaining({
        name: 'file',
        outcome: 'failed',
        detail: expect.stringMatching(/^it was built with a sanitizer: it needs libasan/),
        hint: expect.stringContaining('--without-sandbox'),
      }),
    ]);
  });

  test('has at least 40 libraries with a fault each', () => {
    expect(own.length + others.length).toBeGreaterThanOrEqual(40);
  });

  test.each(['echo', 'patches_request', 'patches_response', 'config_echo', 'doubles', 'exact_numbers'])(
    'of %s, which has no fault, finds nothing',
    async (library) => {
      const report = await validatePlugin(compilePlugin(library));
      expect(findingsOf(report).filter((line) => !line.startsWith('name | warning'))).toEqual([]);
      expect(report.ok).toBe(true);
    },
    DEFECT_MS,
  );
});
