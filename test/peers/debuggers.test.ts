/** The lines that `plugin debug` prints, given to gdb and lldb as they are. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { RunningCommand } from '../cli/command.js';
import { compilePlugin } from '../fixtures/compile.js';

const run = promisify(execFile);
const TEST_MS = 240_000;

/** Commands that follow the printed ones: where the process stopped, and on with it. */
const FOLLOWING: Readonly<Record<string, string>> = {
  gdb: `--batch -ex 'print endpoint' -ex backtrace -ex continue`,
  lldb: `--batch -o 'frame variable endpoint' -o bt -o continue`,
};

test.each(Object.entries(FOLLOWING))(
  '%s stops in the hook, and shows its arguments and lines',
  async (debuggerName, following) => {
    const debug = new RunningCommand([
      'plugin',
      'debug',
      compilePlugin('echo'),
      'process_endpoint',
      '--path',
      '/planted',
      '--json',
    ]);
    const printed = new RegExp(`^ *(${debuggerName} -p \\d+ .*)$`, 'm');
    const [, line = ''] = await debug.until(() => printed.exec(debug.stderr) ?? undefined, printed);
    const { stdout } = await run('sh', ['-c', `${line} ${following}`], { timeout: TEST_MS / 2 });
    expect(stdout).toMatch(/endpoint.*"\/planted"|= 0x[0-9a-f]+ "\/planted"/);
    expect(stdout).toMatch(/process_endpoint[^\n]*echo\.c:\d+/);
    const { code, stdout: report } = await debug.finished;
    expect(code).toBe(0);
    expect(JSON.parse(report)).toMatchObject({ ok: true, answer: { body: { path: '/planted' } } });
  },
  TEST_MS,
);
