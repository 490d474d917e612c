import http from 'node:http';
import net from 'node:net';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { rawAsk } from '../fixtures/raw-http.js';
import { startServer, type TestServer } from '../fixtures/server.js';

/** What /metrics says about requests, seen from outside. */
ownCache();

/** A proxy target. It answers a request for /held when the test says so. */
const held: http.ServerResponse[] = [];
const target = http.createServer((request, response) => {
  if (request.url === '/held') held.push(response);
  else request.pipe(response.writeHead(520));
});
await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
afterAll(() => {
  target.closeAllConnections();
  target.close();
});

const proxy = `proxy: { target: "http://127.0.0.1:${(target.address() as net.AddressInfo).port}" }`;
const STATIC = 'fixed: { path: /fixed, methods: [GET, POST], response: { body: words } }';
const YAML = `
endpoints:
  ${STATIC}
  held: { path: /held, ${proxy} }
  echo: { path: /echo, ${proxy} }
  answers: { path: /whole, plugin: responses }
plugins:
  responses: { path: ${compilePlugin('responses')}, timeouts: { call: 60s } }`;
const shared = startServer(YAML, { admin: 'token: t' });

type Samples = ReadonlyMap<string, number>;

async function scrape({ adminUrl }: TestServer): Promise<Samples> {
  const response = await fetch(`${adminUrl}/metrics`, { headers: { authorization: 'Bearer t' } });
  const text = await response.text();
  const samples = [...text.matchAll(/^(backworks_http_\S+) (\S+)$/gm)];
  return new Map(samples.map(([, series = '', value]) => [series, Number(value)]));
}

/** A response ends in the server after the client has read it, so the numbers are read until they fit. */
async function shows(
  server: TestServer,
  wanted: Readonly<Record<string, number | undefined>>,
): Promise<void> {
  const until = Date.now() + 20_000;
  for (;;) {
    const samples = await scrape(server);
    const found = Object.fromEntries(Object.keys(wanted).map((name) => [name, samples.get(series(name))]));
    if (Date.now() > until) expect(found).toEqual(wanted);
    if (Object.entries(wanted).every(([name, value]) => found[name] === value)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** `requests_total fixed GET 200` → the series of that metric. */
function series(short: string): string {
  const [metric = '', endpoint = '', method, status] = short.split(' ');
  const labels = [`endpoint="${endpoint}"`];
  if (method !== undefined) labels.push(`method="${method}"`);
  if (status !== undefined) labels.push(`status="${status}"`);
  return `backworks_http_${metric}{${labels.join(',')}}`;
}

const send = (port: string, text: string): Promise<unknown> => rawAsk(port, text);

test('requests, durations and bytes are counted by endpoint, method and status', async () => {
  const server = await shared;
  await fetch(`${server.url}/fixed?token=secret`);
  await fetch(`${server.url}/fixed`, { method: 'HEAD' });
  await fetch(`${server.url}/fixed`, { method: 'POST', body: 'x'.repeat(1000) });
  await (await fetch(`${server.url}/echo`, { method: 'PUT', body: 'y'.repeat(50_000) })).text();
  await (await fetch(`${server.url}/whole`)).text();
  await shows(server, {
    'requests_total fixed GET 200': 1,
    'requests_total fixed HEAD 200': 1,
    'requests_total fixed POST 200': 1,
    'requests_total answers GET 418': 1,
    'request_duration_seconds_count fixed GET': 1,
    'request_bytes_total fixed POST': 1000,
    'response_bytes_total fixed GET': 5,
    'response_bytes_total fixed HEAD': 0,
    'request_bytes_total echo PUT': 50_000,
    'response_bytes_total echo PUT': 50_000,
    'response_bytes_total answers GET': JSON.stringify({ short: true }).length,
    'requests_in_flight fixed': 0,
  });
});

test('a status without a name shares the label of its class', async () => {
  const server = await shared;
  await (await fetch(`${server.url}/echo`)).text();
  await shows(server, { 'requests_total echo GET 5xx': 1 });
});

test('whatever clients send, they add no labels', async () => {
  const server = await shared;
  const { port } = new URL(server.url);
  await fetch(`${server.url}/no-such-path-1`);
  await fetch(`${server.url}/no-such-path-2`, { method: 'DELETE' });
  const close = 'Host: a\r\nConnection: close\r\n\r\n';
  await send(port, `PROPFIND /fixed HTTP/1.1\r\n${close}`);
  await send(port, `MKCOL /no HTTP/1.1\r\n${close}`);
  await send(port, `GET /%zz HTTP/1.1\r\n${close}`);
  await send(port, 'GET /fixed HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n');
  await send(port, 'GET /fixed HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n');
  await shows(server, {
    'requests_total (unmatched) GET 404': 1,
    'requests_total (unmatched) DELETE 404': 1,
    'requests_total (unmatched) GET 400': 3,
    'requests_total (unmatched) other 405': 1,
    'requests_total (unmatched) other 404': 1,
  });
  const labels = [...(await scrape(server)).keys()].flatMap((name) =>
    [...name.matchAll(/\w+="[^"]*"/g)].flat(),
  );
  const known = new Set(labels.filter((label) => !label.startsWith('le=')));
  const endpoints = ['fixed', 'held', 'echo', 'answers', '(unmatched)'].map((name) => `endpoint="${name}"`);
  expect([...known].filter((label) => label.startsWith('endpoint=')).sort()).toEqual(endpoints.sort());
});

describe('requests in flight', () => {
  test('are counted until their response has ended', async () => {
    const server = await shared;
    const answer = fetch(`${server.url}/held`);
    await shows(server, { 'requests_in_flight held': 1, 'requests_in_flight fixed': 0 });
    held.shift()!.end();
    expect((await answer).status).toBe(200);
    await shows(server, { 'requests_in_flight held': 0, 'requests_total held GET 200': 1 });
  });

  test('end with status 499 when the client closes the connection, also behind each other', async () => {
    const server = await shared;
    const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write('GET /held HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    await shows(server, { 'requests_in_flight held': 3 });
    socket.destroy();
    await shows(server, { 'requests_in_flight held': 0, 'requests_total held GET 499': 3 });
    held.length = 0;
  });
});

describe('a reload', () => {
  const one = 'one: { path: /one, response: { body: x } }';
  const two = `two: { path: /held, ${proxy} }`;
  const config = (...endpoints: string[]): string => `endpoints: { ${endpoints.join(', ')} }\n`;

  test('keeps the numbers of endpoints that stay, and drops those of endpoints that go', async () => {
    const server = await startServer(config(one, two), { admin: 'token: t' });
    await server.get('/one');
    const answer = fetch(`${server.url}/held`);
    await shows(server, { 'requests_total one GET 200': 1, 'requests_in_flight two': 1 });
    await server.change(config(one, 'new: { path: /new, response: { body: x } }'));
    await server.get('/one');
    // The request in flight belongs to an endpoint that is gone. It is counted until it has ended.
    await shows(server, {
      'requests_total one GET 200': 2,
      'requests_in_flight two': 1,
      'requests_in_flight new': 0,
    });
    held.shift()!.end();
    await answer;
    await shows(server, { 'requests_in_flight two': undefined, 'requests_total two GET 200': undefined });
    await server.change(config(two));
    await shows(server, {
      'requests_total one GET 200': undefined,
      'request_duration_seconds_count one GET': undefined,
      'requests_in_flight two': 0,
    });
  });

  test('turns the metrics off and on', async () => {
    let admin = 'token: t, request_metrics: true';
    const server = await startServer(config(one), { admin: () => admin });
    await server.get('/one');
    await shows(server, { 'requests_total one GET 200': 1 });
    admin = 'token: t, request_metrics: false';
    const report = await server.change(config(one));
    expect([report.settings, report.needsRestart]).toEqual([['admin.request_metrics'], []]);
    await server.get('/one');
    expect([...(await scrape(server)).keys()]).toEqual([]);
    admin = 'token: t';
    await server.change(config(one));
    await server.get('/one');
    await shows(server, { 'requests_total one GET 200': 1 });
  });
});
