import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';

/**
 * The benchmark's peers that use Backworks: each peer starts, measures and ends with its input. The values
 * are not checked.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const { benchPlugin, compileC } = (await import(pathToFileURL(join(root, 'bench/build.mjs')).href)) as {
  benchPlugin: (variant?: string) => string;
  compileC: (source: string, target: string, flags: string[]) => string;
};
const bench = benchPlugin();
const threads = benchPlugin('threads');
const computing = compileC('plugin/computing_plugin.c', 'computing.so', ['-shared', '-fPIC']);
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

type Figures = Record<string, unknown>;

/** Starts a peer, sends it a task if there is one, and waits for its end. @returns its output, one object a line */
async function converse(script: string, args: string[], task: object | null): Promise<Figures[]> {
  const child = spawn(process.execPath, [`bench/peers/${script}.mjs`, ...args], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  running.add(child);
  const exited = once(child, 'exit');
  const said: Figures[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(JSON.parse(line) as Figures);
    if (said.length === 1 && task !== null) child.stdin.write(`${JSON.stringify(task)}\n`);
    if (said.length === (task === null ? 1 : 2)) child.stdin.end();
  }
  expect(await exited).toEqual([0, null]);
  running.delete(child);
  return said;
}

const calls = { milliseconds: 5, width: 1 };

test.each<{ script: string; args: string[]; task: object; keys: string[] }>([
  { script: 'call/isolated', args: [bench], task: calls, keys: ['p50', 'p99'] },
  { script: 'call/isolated', args: [bench, 'off'], task: { ...calls, width: 64 }, keys: ['perCall'] },
  { script: 'call/in-process', args: [bench], task: calls, keys: ['p50', 'p99', 'loop'] },
  { script: 'call/koffi', args: [bench], task: calls, keys: ['p50', 'p99', 'loop'] },
  { script: 'guards', args: ['executor'], task: calls, keys: ['perCall'] },
  {
    script: 'start/main',
    args: ['plugin', bench],
    task: { starts: 1, atOnce: 2 },
    keys: ['p50', 'p95', 'all'],
  },
  { script: 'recovery/main', args: ['isolated', computing], task: { kills: 2 }, keys: ['p50', 'p99'] },
  { script: 'recovery/main', args: ['isolated', computing], task: { computes: 5 }, keys: ['delay'] },
])('$script reports numbers for its task', async ({ script, args, task, keys }) => {
  const [, figures] = await converse(script, args, task);
  expect(figures).toEqual(
    expect.objectContaining(Object.fromEntries(keys.map((key) => [key, expect.any(Number)]))),
  );
});

const plugin = (more: object): string => JSON.stringify([{ name: 'bench', path: bench, ...more }]);

test.each([
  { script: 'http/backworks', args: [plugin({}), 'bench'] },
  { script: 'http/backworks', args: [plugin({ isolation: 'in-process' }), 'bench'] },
  { script: 'http/backworks', args: [plugin({ path: threads, limits: { concurrency: 2 } }), 'bench'] },
  { script: 'http/workers', args: [plugin({}), 'bench', '2'] },
])('$script $args prints its URL and its process ids', async ({ script, args }) => {
  const [ready] = await converse(script, args, null);
  expect(ready).toEqual({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    pids: expect.arrayContaining([expect.any(Number)]),
  });
});
