import { execFile } from 'node:child_process';
import { afterAll, expect, test } from '@jest/globals';
import { compilePlugin, compileProgram } from '../fixtures/compile.js';
import { backworks, RunningCommand, scratch } from './command.js';

const directory = scratch();
afterAll(() => directory.remove());

/** Resolves to the exit code. */
function run(program: string, ...args: string[]): Promise<number> {
  return new Promise((resolve) => {
    execFile(program, args, (error) => resolve(error === null ? 0 : Number(error.code)));
  });
}

(process.platform === 'linux' ? test : test.skip)(
  'the call is made when a debugger has attached and lets the process continue',
  async () => {
    const plugin = compilePlugin('operated');
    const debug = new RunningCommand(['plugin', 'debug', plugin, '--path', '/x', '--json']);
    const waits =
      /^process (\d+) waits for a debugger; [^]*gdb -p \1 [^]*'break process_endpoint'[^]*lldb -p \1 /;
    const [, pid = ''] = await debug.until(() => waits.exec(debug.stderr) ?? undefined, waits);
    expect(debug.stdout).toBe('');
    const attached = await run(compileProgram('attaches'), pid);
    if (attached === 77) {
      // This system does not let a process attach to another one.
      debug.child.kill('SIGINT');
      expect(await debug.finished).toMatchObject({ code: 130 });
      return;
    }
    expect(attached).toBe(0);
    const { code, stdout } = await debug.finished;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, answer: { body: { pid: Number(pid) } } });
  },
);

test('--no-wait makes the call at once, without the sandbox, and --setenv sets variables', async () => {
  const plugin = compilePlugin('operated');
  const args = ['plugin', 'debug', plugin, '--no-wait', '--path', '/refused', '--json'];
  const { code, stdout } = await backworks([...args, '--setenv', 'A=1'], { cwd: directory.path });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, refusals: [] });
  const wrong = await backworks([...args, '--setenv', 'A'], { cwd: directory.path });
  expect(wrong).toMatchObject({ code: 2, stdout: expect.stringContaining('--setenv expects NAME=VALUE') });
});
