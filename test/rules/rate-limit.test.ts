/** Rate limits that are counted in memory, through a real server. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { addressKey } from '../../dist/rules/address-key.js';
import { LocalCounter } from '../../dist/rules/local-counter.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';
import { type Answer, ask, problemOf } from '../http/served.js';

ownCache();
let server: TestServer | undefined;
afterEach(async () => {
  await server?.backworks.stop();
  server = undefined;
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  ask(server!.url + path, { headers });

async function statuses(path: string, count: number, headers?: Record<string, string>): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push((await get(path, headers)).status);
  return all;
}

test('requests beyond the limit get 429 and are told when to come back', async () => {
  server = await startServer(`
endpoints:
  a: { path: /a, response: {}, rate_limit: { requests: 2, per: 1h } }
  b: { path: /b, response: {} }
`);
  const first = await get('/a');
  expect(first.status).toBe(200);
  expect(first.headers['ratelimit-policy']).toBe('"endpoints.a";q=2;w=3600');
  expect(first.headers.ratelimit).toBe('"endpoints.a";r=1;t=3600');
  expect((await get('/a')).headers.ratelimit).toMatch(/^"endpoints\.a";r=0;t=3[56]\d\d$/);
  const refused = await get('/a');
  expect(refused.status).toBe(429);
  expect(problemOf(refused)).toMatchObject({
    code: 'BW_REQUEST_RATE_LIMITED',
    detail: 'more than 2 requests in 3600 s',
    instance: '/a',
  });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3000);
  expect(refused.headers.ratelimit).toMatch(/;r=0;/);
  const other = await get('/b');
  expect(other.status).toBe(200);
  expect(other.headers).not.toHaveProperty('ratelimit');
});

test('the limit of the server counts the requests of endpoints without one together, and those without an endpoint', async () => {
  server = await startServer(`server:
  port: 0
  rate_limit: { requests: 3, per: 1h }
endpoints:
  a: { path: /a, response: {} }
  b: { path: /b, response: {} }
  own: { path: /own, response: {}, rate_limit: { requests: 1, per: 1h } }
  free: { path: /free, response: {}, rate_limit: { requests: 0 } }
`);
  expect([await statuses('/a', 1), await statuses('/nowhere', 1), await statuses('/b', 2)]).toEqual([
    [200],
    [404],
    [200, 429],
  ]);
  expect(await statuses('/own', 2)).toEqual([200, 429]);
  expect(await statuses('/free', 9)).toEqual(Array(9).fill(200));
});

test('clients behind a trusted proxy are told apart, and an IPv6 network counts as one client', async () => {
  server = await startServer(`server:
  port: 0
  trust_proxy: { addresses: [127.0.0.1] }
endpoints:
  a: { path: /a, response: {}, rate_limit: { requests: 1, per: 1h } }
`);
  const by = (address: string): Promise<number[]> => statuses('/a', 1, { 'x-forwarded-for': address });
  expect(await by('192.0.2.1')).toEqual([200]);
  expect(await by('192.0.2.1')).toEqual([429]);
  expect(await by('192.0.2.2')).toEqual([200]);
  expect(await by('2001:db8::1')).toEqual([200]);
  expect(await by('2001:db8:0:0:ffff::2')).toEqual([429]);
  expect(await by('2001:db8:0:1::1')).toEqual([200]);
});

test('a limit by a header counts each value, and requests without the header by address', async () => {
  server = await startServer(`
endpoints:
  a: { path: /a, response: {}, rate_limit: { requests: 1, per: 1h, key: header:X-Api-Key } }
`);
  const long = 'k'.repeat(5000);
  for (const key of ['one', 'two', '127.0.0.1', long, `${long}2`, ''])
    expect([key, await statuses('/a', 2, { 'x-api-key': key })]).toEqual([key, [200, 429]]);
  expect(await statuses('/a', 2)).toEqual([200, 429]);
});

test('a limit by a value of the context counts behind the hooks, and its refusals pass after_response', async () => {
  const limit = '{ requests: 1, per: 1h, key: context:config.user }';
  server = await startServer(`server:
  port: 0
  rate_limit: ${limit}
endpoints:
  alice: { path: /alice, plugin: echo, hooks: [{ plugin: shown, config: { user: alice } }] }
  too: { path: /too, plugin: echo, hooks: [{ plugin: shown, config: { user: alice } }] }
  bob: { path: /bob, response: {}, hooks: [{ plugin: shown, config: { user: bob } }] }
  none: { path: /none, response: {}, hooks: [{ plugin: shown, config: { user: [list] } }] }
plugins:
  shown: { path: ${compilePlugin('shows_config')} }
  echo: { path: ${compilePlugin('echo')} }
`);
  expect(await statuses('/alice', 1)).toEqual([200]);
  const refused = await get('/too');
  expect(refused.status).toBe(429);
  expect(refused.headers['x-after']).toBe('config');
  expect(await statuses('/bob', 2)).toEqual([200, 429]);
  expect(await statuses('/none', 2)).toEqual([200, 429]);
});

test('a reload keeps the counts of limits that it does not change', async () => {
  const yaml = (requests: number, body: string): string => `
endpoints:
  a: { path: /a, response: { body: ${body} }, rate_limit: { requests: ${requests}, per: 1h } }
`;
  server = await startServer(yaml(1, 'one'));
  expect(await statuses('/a', 1)).toEqual([200]);
  await server.change(yaml(1, 'two'));
  expect(await statuses('/a', 1)).toEqual([429]);
  await server.change(yaml(2, 'two'));
  expect(await statuses('/a', 3)).toEqual([200, 200, 429]);
});

test('all requests are allowed again when the window ends', async () => {
  server = await startServer(`
endpoints:
  a: { path: /a, response: {}, rate_limit: { requests: 1, per: 100ms } }
`);
  let refused = 0;
  for (let allowed = 0; allowed < 3;) {
    const { status } = await get('/a');
    if (status === 200) allowed += 1;
    else refused += 1;
  }
  expect(refused).toBeGreaterThan(0);
});

describe('a counter in memory', () => {
  test('is bounded: with too many keys, it forgets those whose windows began first', () => {
    const counter = new LocalCounter(10, 1000, 100);
    for (let i = 0; i < 1000; i++) counter.count(`key ${i}`, i / 1000);
    expect(counter.size).toBe(100);
    expect(counter.count('key 999', 1).remaining).toBe(8);
    expect(counter.count('key 0', 1).remaining).toBe(9);
  });

  test('forgets windows that have ended as new ones begin', () => {
    const counter = new LocalCounter(10, 1000);
    for (let i = 0; i < 100; i++) counter.count(`old ${i}`, 0);
    for (let i = 0; i < 100; i++) counter.count(`new ${i}`, 2000);
    expect(counter.size).toBe(100);
  });

  test('gives a key its whole quota again when its window ends', () => {
    const counter = new LocalCounter(1, 1000);
    expect(counter.count('a', 0)).toEqual({ remaining: 0, resetMs: 1000 });
    expect(counter.count('a', 999)).toEqual({ remaining: -1, resetMs: 1 });
    expect(counter.count('a', 1000)).toEqual({ remaining: 0, resetMs: 1000 });
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0DB8:0:0:1:2:3:4', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3::', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
])('requests of %s are counted under %s', (address, key) => {
  expect(addressKey(address)).toBe(key);
});
