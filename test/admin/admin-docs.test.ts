import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { PluginMetrics } from '../../dist/metrics/plugin-metrics.js';
import { createAdminApp } from '../../dist/admin/admin.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer } from '../fixtures/server.js';

/** Checks docs/admin.md against the code. */
const text = readFileSync(fileURLToPath(new URL('../../docs/admin.md', import.meta.url)), 'utf8');
ownCache();

const nothing = (): Promise<void> => Promise.resolve();
const app = createAdminApp({
  status: () => ({ plugins: [], rejected: [], draining: false, startedAt: new Date() }),
  control: {
    reload: () => Promise.reject(new Error('not asked for')),
    load: () => Promise.reject(new Error('not asked for')),
    restart: nothing,
    release: nothing,
    enable: nothing,
    disable: nothing,
    unload: nothing,
    swap: () => Promise.resolve('unchanged'),
    rollBack: nothing,
    history: () => Promise.resolve({ versions: [], refused: [], history: [] }),
  },
  metrics: new PluginMetrics(),
  token: 'token',
  readToken: 'read',
  version: '1',
});

/** Rows of the table below a heading. Cells are without their code marks. */
function rows(heading: string): string[][] {
  const section = text.split(new RegExp(`^#+ ${heading}$`, 'm'))[1]?.split(/^#/m)[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

describe('the endpoints', () => {
  const documented = rows('Endpoints').map(([request = '', token = '']) => ({ request, token }));

  test('of the table and of the API are the same', () => {
    const served = app.routes
      .filter(({ method, path }) => method !== 'ALL' && path !== '/*')
      .map(({ method, path }) => `${method} ${path}`);
    expect(documented.map(({ request }) => request).sort()).toEqual([...new Set(served)].sort());
  });

  test.each(documented)('$request: $token', async ({ request, token }) => {
    const [method = '', path = ''] = request.split(' ');
    const status = async (bearer: string): Promise<number> =>
      (await app.request(path, { method, headers: { authorization: `Bearer ${bearer}` } })).status;
    // 404 means permitted: the plugin ":name" is unknown.
    const permitted = expect.not.stringMatching(/40[13]/) as unknown as string;
    expect(String(await status('token'))).toEqual(permitted);
    if (token === 'none') expect(String(await status(''))).toEqual(permitted);
    else expect(await status('')).toBe(401);
    if (token === 'token') expect(await status('read')).toBe(403);
    else expect(String(await status('read'))).toEqual(permitted);
  });
});

test('the metrics table lists the metrics of targets, and of plugins that served, increased a counter, fetched and crashed', async () => {
  const server = await startServer(
    `
endpoints:
  ok: { path: /refused, plugin: operated }
  crash: { path: /crash, plugin: operated }
  fetch: { path: /fetch, plugin: fetcher }
  other: { path: /other, proxy: { target: "http://127.0.0.1:1" } }
plugins:
  operated: { path: ${compilePlugin('operated')} }
  fetcher: { path: ${compilePlugin('fetcher')} }`,
    { admin: 'token: t' },
  );
  await server.get('/refused');
  const headers = { 'content-type': 'application/json' };
  await fetch(`${server.url}/fetch`, { method: 'POST', headers, body: '{"url":"http://127.0.0.1:1/"}' });
  await server.get('/crash');
  await eventually(() => server.plugin('operated').state === 'ready', 'recovery');
  const response = await fetch(`${server.adminUrl}/metrics`, { headers: { authorization: 'Bearer t' } });
  const exposition = await response.text();
  await server.backworks.stop();
  const pattern = /^# HELP (backworks_\S+) (.*)\n# TYPE \1 (\S+)\n(?:\1\w*\{(.*)\})?/gm;
  const found = [...exposition.matchAll(pattern)].map(([, name, help, type, sample = '']) => {
    const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label = '']) => label);
    return { name, type, labels: labels.filter((label) => label !== 'le').sort(), help };
  });
  const documented = rows('Metrics').map(([name, type, labels = '', help]) => {
    return { name, type, labels: labels === '' ? [] : labels.split(', ').sort(), help };
  });
  expect(documented).toEqual(found);
});

test('the example document has the keys of a real crashed plugin, in the same order', async () => {
  const [example = ''] = text.split('### A plugin')[1]?.match(/(?<=```json\n)[\s\S]*?(?=```)/) ?? [];
  const server = await startServer(
    `
endpoints: { ok: { path: /refused, plugin: operated }, crash: { path: /crash, plugin: operated } }
plugins: { operated: { path: ${compilePlugin('operated')} } }`,
    { admin: 'token: t' },
  );
  await server.get('/refused');
  await server.get('/crash');
  await eventually(() => server.plugin('operated').state === 'ready', 'recovery');
  const response = await fetch(`${server.adminUrl}/plugins/operated`, {
    headers: { authorization: 'Bearer t' },
  });
  expect(shape(JSON.parse(example))).toEqual(shape(await response.json()));
  await server.backworks.stop();
});

/** Keys in order, to the depth at which all plugins have the same ones. */
function shape(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return typeof value[0] === 'object' ? shape(value[0]) : 'list';
  if (typeof value !== 'object' || value === null) return 'value';
  if (key === 'states' || key === 'calls') return 'by name';
  return Object.entries(value).map(([name, member]) => [name, shape(member, name)]);
}
