/** The plugins of docs/how-to.md are built word for word, by its command, and do what the page says. */
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { eventually, startServer } from '../fixtures/server.js';
import { authorsDirectory, codeOf, shell } from './guide-code.js';

const PAGE = 'docs/how-to.md';
const BUILD_MS = 300_000;

let directory = '';
beforeAll(() => {
  const files = codeOf(PAGE, 'c').map((code) => [/^\/\* (\w+\.c): /.exec(code)?.[1] ?? '', code] as const);
  expect(files.map(([name]) => name)).not.toContain('');
  directory = authorsDirectory(Object.fromEntries(files));
  for (const command of codeOf(PAGE, 'sh')) shell(command, directory);
}, BUILD_MS);

test('every plugin does what the page says', async () => {
  const plugin = (name: string, more = ''): string =>
    `${name}: { path: ${join(directory, name)}.so, timeouts: { call: 10s }${more} }`;
  const server = await startServer(`
endpoints:
  visits: { path: "/visits/{visitor}", plugin: counter }
  samples: { path: /samples, plugin: sampler }
  basket: { path: "/basket/{item}", plugin: basket }
  reverse: { path: /reverse, plugin: reverse }
plugins:
  ${plugin('counter')}
  ${plugin('sampler')}
  ${plugin('prices')}
  ${plugin('basket')}
  ${plugin('reverse')}
`);
  const text = async (path: string, options?: RequestInit): Promise<string> =>
    (await fetch(server.url + path, options)).text();

  expect(await text('/visits/ada')).toBe('visit 1');
  await server.backworks.restartPlugin('counter');
  expect(await text('/visits/ada')).toBe('visit 2');
  expect(await text('/visits/bob')).toBe('visit 1');

  const before = Number(await text('/samples'));
  let now = before;
  const ask = async (): Promise<void> => void (now = Number(await text('/samples')));
  await eventually(() => (void ask(), now > before), 'another sample');

  expect(await text('/basket/tea')).toBe('3 coins');
  expect((await fetch(`${server.url}/basket/coal`)).status).toBe(404);

  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const answer = await fetch(`${server.url}/reverse`, { method: 'POST', body: bytes });
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes.reverse());
}, 120_000);

test('the gate refuses requests without the key, and passes none while it fails', async () => {
  const server = await startServer(`
endpoints: { open: { path: /open, response: { body: hello } } }
plugins: { gate: { path: ${join(directory, 'gate.so')}, timeouts: { call: 10s }, config: { key: planted } } }
`);
  const status = async (headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`${server.url}/open`, { headers })).status;
  expect(await status()).toBe(401);
  expect(await status({ 'x-api-key': 'wrong' })).toBe(401);
  expect(await status({ 'x-api-key': 'planted' })).toBe(200);
  expect(server.plugin('gate').critical).toBe(true);
}, 120_000);
