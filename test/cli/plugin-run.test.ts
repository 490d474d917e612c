import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, type Finished, RunningCommand, scratch } from './command.js';

/**
 * `backworks plugin load, unload, enable, disable, restart`: their effect, and their message about the file.
 */
ownCache();
const directory = scratch();
const file = join(directory.path, 'backworks.yaml');
let server: RunningCommand;
let url = '';
let adminUrl = '';

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

let yaml = '';
beforeAll(async () => {
  const found = join(directory.path, 'found');
  mkdirSync(found);
  copyFileSync(compilePlugin('answers'), join(found, 'libanswers.so'));
  yaml = `# What this is for.
server: { port: 0 }
admin: { port: ${await freePort()}, token: planted-token }
endpoints:
  one: { path: /one, plugin: one } # by one
plugins:
  # The first.
  one:
    path: ${compilePlugin('config_echo')}
    config: { n: 1 } # of them
  other: { path: ${compilePlugin('tag')}, config: { tag: a } }
  off: { path: ${compilePlugin('tag')}, config: { tag: b }, enabled: false }
  auto_discover: { directories: [./found] }
`;
  writeFileSync(file, yaml);
  server = new RunningCommand(['start', '--config', file]);
  url = String((await server.logged(/^listening on/))['url']);
  adminUrl = String((await server.logged(/^admin API on/))['url']);
});
afterAll(async () => {
  server.child.kill('SIGTERM');
  expect((await server.finished).code).toBe(0);
  directory.remove();
});

const plugin = (...args: string[]): Promise<Finished> => backworks(['--config', file, 'plugin', ...args]);
const reloads = (): Promise<unknown> => ask('/reload');
const text = (): string => readFileSync(file, 'utf8');
const status = async (path: string): Promise<number> => (await fetch(url + path)).status;

/** A command takes a second on a busy machine, so these tests ask the server directly where possible. */
async function ask(path: string, method = 'POST'): Promise<unknown> {
  const headers = { authorization: 'Bearer planted-token' };
  return (await fetch(adminUrl + path, { method, headers })).json();
}

async function states(): Promise<Record<string, string>> {
  const { plugins } = (await ask('/plugins', 'GET')) as { plugins: { name: string; state: string }[] };
  return Object.fromEntries(plugins.map(({ name, state }) => [name, state]));
}

test('disable and enable change the server only, say so, and a reload undoes them', async () => {
  const disabled = await plugin('disable', 'other');
  expect(disabled).toMatchObject({ code: 0, stdout: 'disabled other, which is now stopped\n' });
  expect(disabled.stderr).toContain(`in effect until the next reload or restart: ${file} was not changed`);
  expect(disabled.stderr).toContain('plugins.other.enabled: false');
  expect(await plugin('disable', 'other')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('plugin other is already stopped'),
  });
  expect(await plugin('enable', 'other')).toMatchObject({ code: 0, stdout: 'enabled other\n', stderr: '' });
  await ask('/plugins/other/unload');
  expect(await states()).toMatchObject({ other: 'stopped' });
  expect(await reloads()).toMatchObject({
    plugins: expect.arrayContaining([{ name: 'other', action: 'load', changed: ['enabled'] }]),
  });
  expect(await states()).toMatchObject({ other: 'ready' });
  expect(text()).toBe(yaml);
}, 120_000);

test('a plugin that an endpoint names is stopped only with --force', async () => {
  const refused = await plugin('unload', 'one');
  expect(refused).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/BW_PLUGIN_IN_USE.*it answers endpoints: one/),
  });
  expect(await status('/one')).toBe(200);
  expect(await plugin('unload', 'one', '--force')).toMatchObject({ code: 0 });
  expect(await status('/one')).toBe(503);
  expect(await plugin('load', 'one')).toMatchObject({ code: 0, stdout: 'loaded one\n', stderr: '' });
  expect(await status('/one')).toBe(200);
}, 120_000);

test('--write changes the file as well, and keeps its comments', async () => {
  const written = await plugin('disable', 'other', '--write');
  expect(written).toMatchObject({ code: 0, stderr: '' });
  expect(written.stdout).toContain('plugins.other.enabled: false');
  expect(text()).toBe(yaml.replace('config: { tag: a } }', 'config: { tag: a }, enabled: false }'));
  await reloads();
  expect(await states()).toMatchObject({ other: 'stopped' });
  await plugin('enable', 'other', '--write');
  expect(text()).toBe(yaml.replace('config: { tag: a } }', 'config: { tag: a }, enabled: true }'));
  await plugin('enable', 'off', '--write');
  expect(await states()).toMatchObject({ off: 'ready', other: 'ready' });
  await plugin('unload', 'off', '--write');
  expect(text()).not.toContain('off:');
  expect(text()).toContain('# of them');
  await reloads();
  expect(Object.keys(await states())).not.toContain('off');
}, 120_000);

test('load finds a library in a plugin directory by name or file, and adds an entry for any other', async () => {
  expect(await plugin('unload', 'answers')).toMatchObject({ code: 0 });
  expect(await plugin('load', 'answers')).toMatchObject({ code: 0, stdout: 'loaded answers\n' });
  copyFileSync(compilePlugin('reconfigurable'), join(directory.path, 'found', 'late.so'));
  expect(await plugin('load', join(directory.path, 'found', 'late.so'))).toMatchObject({
    code: 0,
    stdout: 'loaded reconfigurable\n',
  });
  expect(await states()).toMatchObject({ answers: 'ready', reconfigurable: 'ready' });

  const elsewhere = compilePlugin('versioned');
  const refused = await plugin('load', elsewhere);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('with --write or by hand: plugins.'),
  });
  const added = await plugin('load', elsewhere, '--write');
  expect(added.code).toBe(0);
  expect(text()).toContain(`path: ${elsewhere}`);
  expect(Object.values(await states())).not.toContain('failed');
}, 120_000);

test('restart replaces the processes, and an unknown name lists the known ones', async () => {
  expect(await plugin('restart', 'one')).toMatchObject({ code: 0, stdout: 'restarted one\n' });
  expect(await plugin('restart', 'nobody')).toMatchObject({ code: 4 });
}, 120_000);

test('without a server, only the file can be changed', async () => {
  const alone = directory.write(
    'alone.yaml',
    yaml.replace(/port: \d+, token/, `port: ${await freePort()}, token`),
  );
  const run = (...args: string[]): Promise<Finished> => backworks(['--config', alone, 'plugin', ...args]);
  expect(await run('disable', 'other')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('BW_SERVER_UNREACHABLE'),
  });
  expect(await run('disable', 'other', '--write')).toMatchObject({ code: 0 });
  expect(readFileSync(alone, 'utf8')).toContain('config: { tag: a }, enabled: false }');
}, 120_000);
