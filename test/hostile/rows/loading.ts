import { expect } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PluginOutcome } from '../../../dist/errors.js';
import type { Ground } from '../ground.js';
import type { NotLoaded, Row, Scene } from '../row.js';

function refused(code: NotLoaded['code'], outcome: PluginOutcome, pattern: RegExp): NotLoaded {
  return { kind: 'not loaded', code, outcome, pattern };
}

function file(ground: Ground, content: Buffer | string): string {
  const path = join(ground.directory('libraries'), 'hostile.so');
  writeFileSync(path, content);
  return path;
}

async function stopsWithoutDestructor({ server }: Scene): Promise<void> {
  const lines = (): string[] => server.log.map(({ message }) => message);
  const during = lines().filter((line) => line === 'destructor runs').length;
  await server.backworks.stop();
  expect(lines().filter((line) => line === 'destructor runs')).toHaveLength(during);
}

/** Plugins that commit their fault while they are loaded, and files that are not plugins. */
export const LOADING: readonly Row[] = [
  {
    id: 'H35',
    does: 'reads /etc/passwd in its constructor',
    fixture: 'h35_constructor',
    by: 'Landlock, in force before any code of the library runs',
    expected: { kind: 'answers', answer: { constructor: 'EACCES' }, refused: ['filesystem.read (open)'] },
  },
  {
    id: 'H35',
    does: 'sleeps in its constructor',
    fixture: 'h35_constructor_hangs',
    by: 'timeouts.initialize',
    initializeMs: 1000,
    expected: refused('BW_PLUGIN_TIMEOUT', 'timeout', /stopped at its deadline during load/),
  },
  {
    id: 'H35',
    does: 'computes for ever in its constructor',
    fixture: 'h35_constructor_spins',
    by: 'timeouts.initialize',
    initializeMs: 1000,
    expected: refused('BW_PLUGIN_TIMEOUT', 'timeout', /stopped at its deadline during load/),
  },
  {
    id: 'H35',
    does: 'crashes in its constructor',
    fixture: 'h35_constructor_crashes',
    by: 'process isolation',
    expected: refused('BW_PLUGIN_CRASHED', 'crashed', /crashed with SIGSEGV during load/),
  },
  {
    id: 'H35',
    does: 'calls exit(0) in its constructor',
    fixture: 'h35_constructor_exits',
    by: 'the server, for which an exit during load is a failure whatever the exit code',
    expected: refused('BW_PLUGIN_EXITED', 'exited', /exited during load: .*exit code 0/),
  },
  {
    id: 'H36',
    does: 'never returns from its destructor, which exit(0) runs',
    fixture: 'h36_destructor',
    by: 'the deadline; an orderly shutdown runs no destructors',
    callMs: 500,
    expected: {
      kind: 'ends',
      outcome: 'timeout',
      code: 'BW_PLUGIN_TIMEOUT',
      signal: 'SIGKILL',
      stderr: /destructor runs/,
      pattern: /stopped at its deadline during process_endpoint/,
    },
    also: stopsWithoutDestructor,
  },
  {
    id: 'H37',
    does: 'exports no plugin_vtable()',
    fixture: 'h37_no_vtable',
    by: 'the check of the file before it is loaded',
    expected: { kind: 'not loaded', code: 'BW_LIBRARY_SYMBOL', pattern: /plugin_vtable/ },
  },
  {
    id: 'H37',
    does: 'needs a function that no library has',
    fixture: 'h37_undefined_symbol',
    by: 'the dynamic linker',
    expected: refused('BW_PLUGIN_LOAD', 'setup_error', /undefined symbol: missing_from_every_library/),
  },
  {
    id: 'H37',
    does: 'is a text file',
    fixture: 'h35_constructor',
    library: (_, ground) => file(ground, 'This is no library.\n'),
    by: 'the check of the file before it is loaded',
    expected: { kind: 'not loaded', code: 'BW_LIBRARY_FORMAT', pattern: /hostile\.so/ },
  },
  {
    id: 'H37',
    does: 'does not exist',
    fixture: 'h35_constructor',
    library: (_, ground) => join(ground.directory('libraries'), 'missing.so'),
    by: 'the check of the file before it is loaded',
    expected: { kind: 'not loaded', code: 'BW_LIBRARY_NOT_FOUND', pattern: /missing\.so/ },
  },
  {
    id: 'H38',
    does: 'is half of a library',
    fixture: 'h35_constructor',
    library: (compiled, ground) => {
      const bytes = readFileSync(compiled);
      return file(ground, bytes.subarray(0, bytes.length / 2));
    },
    by: 'the check of the file before it is loaded',
    expected: { kind: 'not loaded', code: 'BW_LIBRARY_TRUNCATED', pattern: /hostile\.so/ },
  },
];
