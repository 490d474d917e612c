import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { RunningCommand, scratch } from '../cli/command.js';
import { compilePlugin } from '../fixtures/compile.js';
import { ownCache } from '../fixtures/cache.js';

ownCache();
const directory = scratch();
afterAll(() => directory.remove());
let server: RunningCommand;
afterEach(async () => {
  server.child.kill('SIGTERM');
  expect((await server.finished).code).toBe(0);
});

/** Starts a server with this many plugins and this limit of open descriptors. */
async function start(plugins: number, openFiles: number): Promise<string> {
  const entry = (index: number): [string, object] => [`echo-${index}`, { path: compilePlugin('echo') }];
  const configuration = {
    server: { port: 0 },
    admin: { enabled: false },
    endpoints: { echo: { path: '/echo', plugin: 'echo-0' } },
    plugins: Object.fromEntries(Array.from({ length: plugins }, (_, index) => entry(index))),
  };
  writeFileSync(join(directory.path, 'backworks.yaml'), JSON.stringify(configuration));
  server = new RunningCommand(['start'], { cwd: directory.path, openFiles });
  return String((await server.logged(/^listening on/))['url']);
}

function status(url: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(`${url}/echo`, { agent }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    }).once('error', reject);
  });
}

const openBy = (pid: number | undefined): number => readdirSync(`/proc/${pid}/fd`).length;

/** Child processes of all threads of the process. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'))
    .flatMap((children) => children.split(' ').filter(Boolean).map(Number));
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  'new connections are refused while descriptors are left for open connections and new plugin processes',
  async () => {
    const url = await start(1, 256);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await status(url, agent)).toBe(200);
    let refused = 0;
    const crowd: Socket[] = Array.from({ length: 400 }, () =>
      connect(Number(new URL(url).port), '127.0.0.1')
        .on('error', () => undefined)
        .on('close', () => (refused += 1)),
    );
    await until(() => refused > 0);
    expect(await status(url, agent)).toBe(200);
    // Descriptors are left to start new processes of the plugin.
    const processes = childrenOf(server.child.pid!);
    expect(processes.length).toBeGreaterThan(0);
    for (const pid of processes) process.kill(pid, 'SIGKILL');
    await until(async () => (await status(url, agent)) === 200);
    for (const socket of crowd) socket.destroy();
    agent.destroy();
    await until(() => openBy(server.child.pid) < 128);
    expect(await status(url, new Agent())).toBe(200);
  },
);

onLinux('only the plugins for which no descriptors are left fail to start', async () => {
  const url = await start(60, 200);
  // Connections are refused while the last processes start. The plugin that answers may itself have failed to start.
  const answer = (): Promise<number | undefined> => status(url, new Agent()).catch(() => undefined);
  await until(async () => [200, 503].includes((await answer()) ?? 0));
  const failed = server.log.filter(({ code }) => code === 'BW_RUNNER_START');
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.length).toBeLessThan(60);
});
