import { expect, test } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { compilePlugin } from '../fixtures/compile.js';
import { Cluster, directory, Load } from './cluster.js';

chmodSync(directory.path, 0o755);
const yaml = (n: number, more = ''): string => `
server: { port: 0, workers: 2 }
admin: { port: 0, token: t }
endpoints: { one: { path: /one, plugin: one } }
plugins:
  one: { path: ${compilePlugin('reconfigurable')}, config: { n: ${n} }, timeouts: { call: 20s } }
${more}`;

interface Given {
  readonly config: { readonly n: number };
  readonly pid: number;
}

/** The configurations that the workers answer with, and the number of workers. */
async function runningConfigs(cluster: Cluster): Promise<{ n: number[]; workers: number }> {
  const texts = await Promise.all(Array.from({ length: 20 }, () => cluster.request()));
  const answers = texts.map(({ text }) => JSON.parse(text) as Given);
  return {
    n: [...new Set(answers.map(({ config }) => config.n))],
    workers: new Set(answers.map(({ pid }) => pid)).size,
  };
}

test('a reload under load fails no request and takes effect in all workers', async () => {
  const cluster = await Cluster.launch(yaml(1));
  const seen = new Set<number>();
  const load = new Load(`${cluster.url}/one`, 16, ({ status, text }) => {
    if (status === 200) seen.add((JSON.parse(text) as Given).config.n);
  });
  await load.more(50);
  const policies = ['', 'instances: 2', 'critical: true', 'priority: 7'];
  for (const [index, policy] of policies.entries()) {
    const n = index + 2;
    cluster.write(yaml(n).replace('config:', `${policy}${policy === '' ? '' : ', '}config:`));
    expect((await cluster.admin('/reload', 'POST')).status).toBe(200);
    expect((await runningConfigs(cluster)).n).toEqual([n]);
    await load.more(50);
  }
  await load.stop();
  expect([Object.keys(load.answers), load.broken]).toEqual([['200'], []]);
  expect([...seen].sort()).toEqual([1, 2, 3, 4, 5]);
  await cluster.stop();
});

test('a reload that one worker refuses takes effect in no worker', async () => {
  const marks = join(directory.path, 'marks');
  mkdirSync(marks);
  chmodSync(marks, 0o777);
  const picky = (config: string): string => `  picky:
    path: ${compilePlugin('starts_once')}
    critical: true
    config: ${config}
    permissions: { filesystem: { write: [${marks}] } }
`;
  const cluster = await Cluster.launch(yaml(1, picky('{}')));
  cluster.write(yaml(2, picky(`{ mark: ${join(marks, 'mark')} }`)));
  const { status, text } = await cluster.admin('/reload', 'POST');
  expect([status, JSON.parse(text)]).toMatchObject([409, { code: 'BW_RELOAD_REFUSED' }]);
  // The other worker could have applied the change.
  expect(existsSync(join(marks, 'mark'))).toBe(true);
  expect(await runningConfigs(cluster)).toEqual({ n: [1], workers: 2 });
  await cluster.stop();
});

test('a dry run and an invalid file change nothing', async () => {
  const cluster = await Cluster.launch(yaml(1));
  cluster.write(yaml(2));
  const { status, text } = await cluster.admin('/reload?dry_run=true', 'POST');
  expect([status, JSON.parse(text)]).toMatchObject([
    200,
    { dry_run: true, plugins: [{ action: 'reconfigure' }] },
  ]);
  cluster.write(`${yaml(3)}\nnonsense: [`);
  expect((await cluster.admin('/reload', 'POST')).status).toBe(422);
  expect(await runningConfigs(cluster)).toEqual({ n: [1], workers: 2 });
  await cluster.stop();
});

test('a worker that starts later has the running configuration, not the changed file', async () => {
  const cluster = await Cluster.launch(yaml(1));
  cluster.write(yaml(2));
  expect((await cluster.admin('/reload', 'POST')).status).toBe(200);
  cluster.write(yaml(3));
  process.kill(cluster.workers()[0]!, 'SIGKILL');
  await cluster.logged(/^worker \d is serving again$/);
  expect(await runningConfigs(cluster)).toEqual({ n: [2], workers: 2 });
  await cluster.stop();
});
