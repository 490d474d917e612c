import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { documentedCommands, sectionOf } from '../fixtures/markdown.js';
import { startProgram, type StartedProgram } from '../fixtures/started-program.js';

/** Runs every curl command in the documentation of the example against a real server. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const README_ADDRESS = 'http://127.0.0.1:8080';
const documents = [
  'README.md',
  'examples/weather/README.md',
  'examples/weather/c/README.md',
  'examples/weather/rust/README.md',
];
/** walkthrough.test.ts and native-sdk/weather.test.ts cover these sections. */
const ELSEWHERE: Record<string, string> = {
  'README.md': 'A plugin of your own',
  'examples/weather/README.md': 'All five languages',
};

interface Example {
  readonly file: string;
  readonly command: string;
  readonly output: string;
}

function examplesOf(file: string): Example[] {
  let text = readFileSync(join(root, file), 'utf8');
  const elsewhere = ELSEWHERE[file];
  if (elsewhere !== undefined) text = text.replace(sectionOf(text, elsewhere), '');
  return documentedCommands(text).map((command) => ({ file, ...command }));
}

let server: StartedProgram;

beforeAll(async () => {
  const command = [
    process.execPath,
    'dist/cli/main.js',
    'start',
    '--config',
    'examples/weather/backworks.yaml',
  ];
  server = await startProgram(command, {
    ready: /listening on (http:\/\/[\d.]+:\d+)/,
    // The system chooses the ports; empty variables count as unset.
    env: { PORT: '0', ADMIN_PORT: '0', WEATHER_CITY: '', WEATHER_API_KEY: '' },
  });
});

const examples = documents.flatMap(examplesOf);

test('every document of the example shows a request', () => {
  expect([...new Set(examples.map(({ file }) => file))]).toEqual(documents);
});

test.each(examples)('$file: the answer to $command is the documented one', ({ command, output }) => {
  expect(command).toContain(README_ADDRESS);
  const line = command.replace(README_ADDRESS, server.said);
  expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' }).trim()).toBe(output.trim());
});

test('the server stops in order', async () => {
  expect(await server.end()).toBe(0);
});
