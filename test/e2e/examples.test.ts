import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

/** Runs every curl command in the documentation of the example against a real server. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const README_ADDRESS = 'http://127.0.0.1:8080';
const documents = [
  // walkthrough.test.ts covers the section "A plugin of your own".
  'README.md',
  'examples/weather/README.md',
  'examples/weather/c/README.md',
  'examples/weather/rust/README.md',
];

interface Example {
  readonly file: string;
  readonly command: string;
  readonly answer: string;
}

/** The commands of ```console blocks: a line that begins with "$ ", and its output until the next. */
function examplesOf(file: string): Example[] {
  const [text = ''] = readFileSync(join(root, file), 'utf8').split('\n## A plugin of your own\n');
  const blocks = [...text.matchAll(/^```console\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .filter((entry) => entry !== '')
      .map((entry) => {
        const [command = '', ...output] = entry.split('\n');
        return { file, command, answer: output.join('\n').trim() };
      }),
  );
}

let server: ChildProcess;
let address: string;

/** The address that the server prints. Keeps reading afterwards, so that the pipe never fills. */
function addressOf(child: ChildProcess & { stdout: Readable; stderr: Readable }): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      said.push(line);
      const found = /listening on (http:\/\/[\d.]+:\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
    lines.on('close', () => {
      reject(new Error(`the server ended before it listened:\n${said.join('\n')}`));
    });
  });
}

beforeAll(async () => {
  // The system chooses the ports; empty variables count as unset.
  const args = ['dist/cli/main.js', 'start', '--config', 'examples/weather/backworks.yaml'];
  const env = { ...process.env, PORT: '0', ADMIN_PORT: '0', WEATHER_CITY: '', WEATHER_API_KEY: '' };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  server = child;
  address = await addressOf(child);
});

afterAll(async () => {
  if (server.exitCode === null && server.signalCode === null) {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
  expect(server.exitCode).toBe(0);
});

const examples = documents.flatMap(examplesOf);

test('every document of the example shows a request', () => {
  expect([...new Set(examples.map(({ file }) => file))]).toEqual(documents);
});

test.each(examples)('$file: the answer to $command is the documented one', ({ command, answer }) => {
  expect(command).toContain(README_ADDRESS);
  const line = command.replace(README_ADDRESS, address);
  expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' }).trim()).toBe(answer);
});
