/** The plugin of docs/database.md, built by its command, against SQLite and Python's own binding of it. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { authorsDirectory, codeOf, shell } from '../native-sdk/guide-code.js';
import { eventually, type TestServer, startServer } from '../fixtures/server.js';

const PAGE = 'docs/database.md';
const TEST_MS = 120_000;

let directory = '';
let data = '';
beforeAll(() => {
  const [code = ''] = codeOf(PAGE, 'c');
  directory = authorsDirectory({ 'visits.c': code });
  for (const command of codeOf(PAGE, 'sh')) shell(command, directory);
  data = mkdtempSync(join(tmpdir(), 'backworks-sqlite-'));
  // The processes of plugins have another user when the server runs as root.
  chmodSync(data, 0o777);
}, TEST_MS);

afterAll(() => rmSync(data, { recursive: true, force: true }));

const serve = (file: string, more = ''): Promise<TestServer> => {
  const [yaml = ''] = codeOf(PAGE, 'yaml');
  return startServer(
    yaml
      .replace('./visits.so', join(directory, 'visits.so'))
      .replace('/var/lib/visits/visits.db', join(data, file))
      .replace('/var/lib/visits', data)
      .replace('call: 1s', 'call: 10s')
      .replace('    path:', `${more}    path:`),
  );
};

const python = (script: string, file: string): string =>
  execFileSync('python3', ['-c', script, join(data, file)], { encoding: 'utf8' }).trim();

const visit = async (server: TestServer, name: string): Promise<string> => {
  const response = await fetch(`${server.url}/visits/${encodeURIComponent(name)}`);
  return response.status === 200 ? response.text() : String(response.status);
};

test(
  'visits are counted, by name, and stay when the process is killed',
  async () => {
    const server = await serve('killed.db');
    const name = `O'Brien"; DROP TABLE visits; -- ü`;
    expect(await visit(server, name)).toBe('visit 1');
    expect(await visit(server, 'ada')).toBe('visit 1');
    const [first] = server.plugin('visits').processes.filter(({ state }) => state === 'ready');
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await eventually(
      () =>
        server.plugin('visits').processes.some(({ state, pid }) => state === 'ready' && pid !== first?.pid),
      'another process',
    );
    expect(await visit(server, name)).toBe('visit 2');
    const script =
      'import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute("select * from visits").fetchall())';
    expect(python(script, 'killed.db')).toBe(`[(${pythonText(name)}, 2), ('ada', 1)]`);
  },
  TEST_MS,
);

/** A text as Python prints it, when it has both kinds of quotes. */
function pythonText(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}

test(
  'no visit is lost when two processes count at the same time',
  async () => {
    const server = await serve('two.db', '    instances: 2\n');
    const answers: string[] = [];
    const visitor = async (): Promise<void> => {
      for (let count = 0; count < 10; count++) answers.push(await visit(server, 'all'));
    };
    await Promise.all(Array.from({ length: 10 }, visitor));
    const numbers = answers.map((answer) => Number(answer.replace('visit ', ''))).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  },
  TEST_MS,
);

test(
  'a database that is locked makes calls fail before their deadline, and costs no process',
  async () => {
    const server = await serve('locked.db');
    expect(await visit(server, 'ada')).toBe('visit 1');
    const pids = (): number[] =>
      server
        .plugin('visits')
        .processes.map(({ pid }) => pid)
        .sort();
    const before = pids();
    const lock = [
      'import sqlite3,sys',
      'base=sqlite3.connect(sys.argv[1],isolation_level=None)',
      'base.execute("begin exclusive")',
      'print("locked",flush=True)',
      'sys.stdin.read()',
    ].join(';');
    const holder = spawn('python3', ['-c', lock, join(data, 'locked.db')]);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    expect(await visit(server, 'ada')).toBe('500');
    const said = JSON.stringify(server.log);
    expect(said).toContain('locked.db: database is locked');
    holder.stdin.end();
    await new Promise((resolve) => holder.once('exit', resolve));
    expect(await visit(server, 'ada')).toBe('visit 2');
    expect(pids()).toEqual(before);
  },
  TEST_MS,
);
