/** The Go SDK: its own tests, its README, and what only Go plugins do. Run by `npm run test:sdk`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { startServer } from '../fixtures/server.js';
import { buildGo, go, goLanguage, goModule } from './go-plugins.js';
import { run, sources, target } from './language.js';

const BUILD_MS = 600_000;

let greeter = '';
beforeAll(() => {
  greeter = buildReadme();
}, BUILD_MS);

/** Builds the Go block of the README, word for word, by the commands that the README shows. */
function buildReadme(): string {
  const readme = readFileSync(join(goModule, 'README.md'), 'utf8');
  const [source] = [...readme.matchAll(/^```go\n(.*?)^```$/gms)].map(([, code]) => code ?? '');
  const edits = [...readme.matchAll(/^go (mod edit .*)$/gm)].map(([, edit = '']) =>
    edit.replace(/=\.\.\/backworks\/native-sdk\/go$/, `=${goModule}`).split(' '),
  );
  const directory = join(target, 'go/greeter');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'go.mod'), 'module greeter\n\ngo 1.21\n');
  writeFileSync(join(directory, 'greeter.go'), source ?? '');
  for (const edit of edits) go(edit, directory);
  return buildGo(directory, 'greeter');
}

test(
  'the tests of the module pass, and vet and gofmt find nothing',
  () => {
    const faults = join(sources, 'go-faults');
    go(['test', './...'], goModule);
    for (const directory of [goModule, join(sources, 'go'), faults]) {
      go(['vet', './...'], directory);
      expect(run('gofmt', ['-l', '.'], directory)).toBe('');
    }
  },
  BUILD_MS,
);

test(
  'two Go plugins serve in one server, and the manifest names only the hooks that a type has',
  async () => {
    const server = await startServer(`
endpoints:
  hello: { path: "/hello/{name}", plugin: greeter }
  case: { path: "/c/{case}", plugin: conformance }
plugins:
  greeter: { path: ${greeter}, critical: true, timeouts: { call: 5s, initialize: 20s }, config: { greeting: hi } }
  conformance: { path: ${goLanguage.build()}, critical: true, timeouts: { call: 5s, initialize: 20s } }
`);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => server.get(i % 2 === 0 ? `/hello/${i}` : '/c/text')),
    );
    expect(answers.map(({ body }) => body)).toEqual(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? { greeting: `hi ${i}` } : 'žluťoučký 🐎')),
    );
    expect((await server.get(`/hello/${'x'.repeat(101)}`)).status).toBe(400);
    expect(server.log.map(({ message }) => message)).toContain('greeting name=0');
    expect(server.plugin('greeter').hooks).toEqual(['process_endpoint']);
  },
  BUILD_MS,
);

test(
  'a nil pointer fails its call; a panic in a goroutine ends the process, with its text in the reason',
  async () => {
    const library = buildGo(join(sources, 'go-faults'), 'go-faults');
    const server = await startServer(`
endpoints: { fault: { path: "/{fault}", plugin: go-faults } }
plugins: { go-faults: { path: ${library}, critical: true, timeouts: { call: 5s, initialize: 20s } } }
`);
    const reason = async (fault: string): Promise<string> => {
      expect((await server.get(`/${fault}`)).status).toBeGreaterThanOrEqual(500);
      return server.log.filter(({ level }) => level === 'warn' || level === 'error').at(-1)?.message ?? '';
    };
    expect(await reason('nil')).toMatch(/go-faults\/plugin\.go:\d+: runtime error: .*nil pointer/);
    expect(await reason('library')).toMatch(/go-faults\/plugin\.go:\d+: strings: negative Repeat count/);
    await reason('goroutine');
    expect(server.log.some(({ message }) => message.includes('panic: out of reach'))).toBe(true);
    expect((await server.get('/fine')).status).toBe(204);
  },
  BUILD_MS,
);
