import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { MAIN, scratch } from './command.js';

const directory = scratch();
afterAll(() => directory.remove());

/**
 * Runs a command on its own terminal, with script(1) of util-linux, and types `keys` when the output matches.
 */
function onTerminal(args: string, type: { when: RegExp; keys: string } | null, env = {}): Promise<string> {
  const command = `stty cols 100; exec '${process.execPath}' '${MAIN}' ${args}`;
  const inherited = { ...process.env };
  for (const name of ['NO_COLOR', 'FORCE_COLOR']) delete inherited[name];
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: directory.path,
    env: { ...inherited, TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  let typed = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (typed || type === null || !type.when.test(output)) return;
    typed = true;
    child.stdin.write(type.keys);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(`${output.replaceAll('\r\n', '\n')}exit ${code}\n`));
  });
}

const CTRL_C = '\u0003';

// Other systems have a different script(1) or none.
if (process.platform === 'linux' && existsSync('/usr/bin/script')) {
  test('on a terminal, start prints the addresses, logs readable lines and stops on Ctrl-C', async () => {
    const file = directory.write(
      'backworks.yaml',
      `
server: { port: 0 }
admin: { port: 0 }
endpoints: { hello: { path: /hello, response: { status: 200, body: hi } } }
plugins: { echo: { path: ${compilePlugin('echo')} } }
`,
    );
    const output = await onTerminal(`start -c ${file}`, { when: /admin token/, keys: CTRL_C });
    expect(output).toContain('\u001b[');
    const text = stripVTControlCharacters(output);
    expect(text).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}plugin echo is ready /m);
    expect(text).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+$/m);
    expect(text).toMatch(/^admin API on http:\/\/127\.0\.0\.1:\d+$/m);
    expect(text).toMatch(/^NAME +VERSION +STATE\necho +1\.0\.0 +ready$/m);
    expect(text).toMatch(/^try: curl http:\/\/127\.0\.0\.1:\d+\/hello$/m);
    // The address appears once, and not in the log as well.
    expect(text.match(/listening on/g)).toHaveLength(1);
    expect(text).toMatch(/info {2}stopped\nexit 0\n$/);
  });

  test('NO_COLOR is respected on a terminal', async () => {
    const output = await onTerminal('strt', null, { NO_COLOR: '1' });
    expect(output).toBe("BW_USAGE: unknown command 'strt' — did you mean start?\nexit 2\n");
    expect(await onTerminal('strt', null)).toContain('\u001b[31m');
  });

  test('JSON is indented on a terminal', async () => {
    const output = await onTerminal('strt --json', null);
    expect(output).toMatch(/^\{\n {2}"error": \{\n/);
  });
}
