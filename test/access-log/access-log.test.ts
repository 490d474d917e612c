import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { RunningCommand } from '../cli/command.js';
import { Cluster } from '../cluster/cluster.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { rawAsk } from '../fixtures/raw-http.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

/** The access log of a real server, read as its operator reads it. */
ownCache();
const directory = mkdtempSync(join(tmpdir(), 'backworks-access-'));
const held: http.ServerResponse[] = [];
const target = http.createServer((request, response) => {
  if (request.url === '/held') held.push(response);
  else response.end('streamed');
});
await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
afterAll(() => {
  target.closeAllConnections();
  target.close();
  rmSync(directory, { recursive: true, force: true });
});

const proxy = `proxy: { target: "http://127.0.0.1:${(target.address() as net.AddressInfo).port}" }`;
const ENDPOINTS = `
endpoints:
  fixed: { path: "/fixed/{any}", methods: [GET], response: { body: words } }
  streamed: { path: /streamed, ${proxy} }
  held: { path: /held, ${proxy} }`;
const WITH_PLUGINS = `
  shown: { path: /shown, plugin: shows-request }
plugins:
  denies: { path: ${compilePlugin('denies')} }
  shows-request: { path: ${compilePlugin('shows_request')} }`;

const place = (name: string): string => join(directory, name);
const config = (file: string, more = 'format: json'): string =>
  `logging: { access: { ${more}, file: ${file} } }${ENDPOINTS}`;

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

/** The lines of a file as soon as it has so many. */
async function lines(file: string, count: number): Promise<string[]> {
  await eventually(() => linesOf(file).length >= count, `${count} lines in ${file}`);
  return linesOf(file);
}

interface Line extends Record<string, unknown> {
  readonly request_id: string;
}
const parsed = (all: readonly string[]): Line[] => all.map((line) => JSON.parse(line) as Line);

describe('JSON lines', () => {
  const file = place('json.log');
  const shared = startServer(config(file) + WITH_PLUGINS, { admin: 'token: t' });
  const get = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    const { url } = await shared;
    const response = await fetch(url + path, {
      headers: { 'x-key': 'k', 'user-agent': 'test/1', ...headers },
    });
    await response.text();
    return response.headers.get('x-request-id') ?? '';
  };
  const lineOf = async (id: string): Promise<Line> => {
    const find = (): Line | undefined => parsed(linesOf(file)).find((line) => line.request_id === id);
    await eventually(() => find() !== undefined, `a line of request ${id}`);
    return find()!;
  };

  test('have every fact about the request, and no query', async () => {
    const before = Date.now();
    const line = await lineOf(
      await get('/fixed/a%20b?token=secret', { referer: 'http://x/', 'x-request-id': 'mine' }),
    );
    const { time, duration_ms: duration, ...facts } = line;
    expect(facts).toEqual({
      request_id: 'mine',
      client: '127.0.0.1',
      method: 'GET',
      path: '/fixed/a%20b',
      protocol: 'HTTP/1.1',
      status: 200,
      bytes: 5,
      complete: true,
      endpoint: 'fixed',
      plugin: null,
      user_agent: 'test/1',
      referer: 'http://x/',
    });
    expect(new Date(String(time)).toISOString()).toBe(time);
    expect(new Date(String(time)).getTime()).toBeGreaterThanOrEqual(before);
    expect(Number(duration)).toBeGreaterThan(0);
    expect(linesOf(file).join()).not.toContain('secret');
  });

  test('name the plugin that answered, as an endpoint and as a hook', async () => {
    expect(await lineOf(await get('/shown'))).toMatchObject({ endpoint: 'shown', plugin: 'shows-request' });
    const denied = { status: 401, endpoint: 'fixed', plugin: 'denies' };
    const { url } = await shared;
    const { headers } = await fetch(`${url}/fixed/x`);
    expect(await lineOf(headers.get('x-request-id')!)).toMatchObject(denied);
  });

  test('count the bytes of a streamed body', async () => {
    expect(await lineOf(await get('/streamed'))).toMatchObject({
      bytes: 8,
      endpoint: 'streamed',
      complete: true,
    });
  });

  test('tell of requests without an endpoint and of malformed ones', async () => {
    expect(await lineOf(await get('/nowhere'))).toMatchObject({ status: 404, endpoint: null, plugin: null });
    const { port } = new URL((await shared).url);
    const two = await rawAsk(port, 'GET /two?a=b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    const id = two.lines.find((line) => line.startsWith('x-request-id: '))!.slice('x-request-id: '.length);
    expect(await lineOf(id)).toMatchObject({
      status: 400,
      path: '/two',
      bytes: two.rest.length,
      endpoint: null,
    });
    const bad = await rawAsk(port, 'GET /bad-host HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n');
    const badId = bad.lines.find((line) => line.startsWith('x-request-id: '))!.slice('x-request-id: '.length);
    expect(await lineOf(badId)).toMatchObject({ status: 400, path: '/bad-host', bytes: bad.rest.length });
  });

  test('say that the client went away', async () => {
    const { port } = new URL((await shared).url);
    const socket = net.connect(Number(port), '127.0.0.1');
    socket.write('GET /held HTTP/1.1\r\nHost: a\r\nX-Key: k\r\nX-Request-Id: gone\r\n\r\n');
    await eventually(() => held.length > 0, 'the request at the target');
    socket.destroy();
    expect(await lineOf('gone')).toMatchObject({ status: 499, complete: false, bytes: 0, endpoint: 'held' });
  });

  test('cannot be forged or be longer than 4096 bytes, whatever a client sends', async () => {
    const { port } = new URL((await shared).url);
    const agent = '"}\\u000a\\\x9b\xe9' + '"'.repeat(3000);
    const path = `/fixed/${'%22'.repeat(1000)}`;
    const head = `X-Key: k\r\nX-Request-Id: forged"\\\r\nUser-Agent: ${agent}\r\nReferer: ${agent}\r\nConnection: close`;
    await rawAsk(port, `GET ${path} HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`);
    const line = await lineOf('forged"\\');
    expect(line).toMatchObject({ status: 200, endpoint: 'fixed' });
    expect(String(line['user_agent'])).toBe(`${agent.slice(0, 96)}...`);
    const text = linesOf(file).find((one) => one.includes('forged'))!;
    expect(text).toMatch(/^[\x20-\x7e]{1,4095}$/);
  });
});

describe('combined lines', () => {
  const COMBINED =
    /^(\S+) - - \[\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2} \+0000\] "(\S+) (\S+) (HTTP\/\d\.\d)" (\d{3}) (\d+) "((?:[^"\\]|\\x[0-9a-f]{2})*)" "((?:[^"\\]|\\x[0-9a-f]{2})*)"$/;

  test('have the form of httpd and nginx, with the query when it is kept', async () => {
    const file = place('combined.log');
    const server = await startServer(config(file, 'format: combined, query: keep'));
    const { port } = new URL(server.url);
    await rawAsk(port, 'GET /fixed/a?b=c HTTP/1.0\r\nUser-Agent: a"b\\c\x80\r\nReferer: http://r/\r\n\r\n');
    await rawAsk(port, 'GET /fixed/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const found = (await lines(file, 2)).map((line) => COMBINED.exec(line)?.slice(1));
    expect(found).toEqual([
      ['127.0.0.1', 'GET', '/fixed/a?b=c', 'HTTP/1.0', '200', '5', 'http://r/', 'a\\x22b\\x5cc\\x80'],
      ['127.0.0.1', 'GET', '/fixed/a', 'HTTP/1.1', '200', '5', '-', '-'],
    ]);
  });
});

describe('the file', () => {
  const get = async ({ url }: Pick<TestServer, 'url'>, path: string): Promise<void> =>
    void (await (await fetch(`${url}/fixed/${path}`)).text());
  const paths = (file: string): unknown[] => parsed(linesOf(file)).map(({ path }) => path);

  test('is opened again when it was moved, and at each reload', async () => {
    const file = place('rotated.log');
    const server = await startServer(config(file));
    await get(server, '1');
    await lines(file, 1);
    renameSync(file, `${file}.1`);
    await eventually(() => existsSync(file), 'a new file');
    await get(server, '2');
    expect(parsed(await lines(file, 1))).toMatchObject([{ path: '/fixed/2' }]);
    renameSync(file, `${file}.2`);
    const report = await server.change(config(file));
    expect(report.settings).toEqual([]);
    expect(existsSync(file)).toBe(true);
    await get(server, '3');
    await lines(file, 1);
    expect([1, 2].map((number) => paths(`${file}.${number}`)).concat([paths(file)])).toEqual([
      ['/fixed/1'],
      ['/fixed/2'],
      ['/fixed/3'],
    ]);
  });

  test('is changed by a reload, which also turns the log off and on', async () => {
    const [first, second] = [place('first.log'), place('second.log')];
    const server = await startServer(config(first));
    await get(server, '1');
    const moved = await server.change(config(second, 'format: json, query: keep'));
    expect([moved.settings, moved.needsRestart]).toEqual([
      ['logging.access.file', 'logging.access.query'],
      [],
    ]);
    await get(server, '2?a=b');
    await server.change(config(second, 'format: off'));
    await get(server, '3');
    await server.change(config(second, 'format: combined'));
    await get(server, '4');
    expect(parsed(await lines(first, 1))).toMatchObject([{ path: '/fixed/1' }]);
    const [two = '', four = '', ...more] = await lines(second, 2);
    expect(JSON.parse(two)).toMatchObject({ path: '/fixed/2', query: 'a=b' });
    expect([four.includes('"GET /fixed/4 HTTP/1.1"'), more]).toEqual([true, []]);
  });

  test('that cannot be opened prevents the start, and a reload changes nothing', async () => {
    const missing = place('no/such/directory/access.log');
    await expect(startServer(config(missing))).rejects.toMatchObject({
      code: 'BW_ACCESS_LOG',
      message: `the access log ${missing} cannot be opened (ENOENT)`,
    });
    const file = place('kept.log');
    const server = await startServer(config(file));
    mkdirSync(place('a-directory'));
    await expect(server.change(config(missing))).rejects.toMatchObject({ code: 'BW_ACCESS_LOG' });
    await expect(server.change(config(place('a-directory')))).rejects.toMatchObject({
      code: 'BW_ACCESS_LOG',
    });
    await get(server, '1');
    expect(parsed(await lines(file, 1))).toMatchObject([{ path: '/fixed/1' }]);
    expect((await server.change(config(place('dry.log')), { dryRun: true })).settings).toEqual([
      'logging.access.file',
    ]);
    expect(existsSync(place('dry.log'))).toBe(false);
  });

  test('is shared by workers and complete when the server has stopped', async () => {
    const file = place('workers.log');
    const yaml = `server: { port: 0, workers: 2 }\nadmin: { port: 0, token: t }\n${config(file)}`;
    const cluster = await Cluster.launch(yaml);
    const close = { headers: { connection: 'close' } };
    for (let count = 0; count < 20; count += 1)
      await (await fetch(`${cluster.url}/fixed/${count}`, close)).text();
    renameSync(file, `${file}.1`);
    expect((await cluster.admin('/reload', 'POST')).status).toBe(200);
    for (let count = 20; count < 40; count += 1)
      await (await fetch(`${cluster.url}/fixed/${count}`, close)).text();
    await cluster.stop();
    const found = [`${file}.1`, file].map((name) => paths(name));
    const wanted = Array.from({ length: 40 }, (_, count) => `/fixed/${count}`).sort();
    expect(found.flat().sort()).toEqual(wanted);
    expect(found[1]!.length).toBeGreaterThanOrEqual(20);
  });
});

describe('a destination that takes nothing', () => {
  test('costs lines and not requests; they are counted, and the server still stops', async () => {
    const pipe = place('pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    // Holds the pipe open and reads nothing.
    const reader = spawn('sh', ['-c', 'exec 3<"$0"; echo open; read end', pipe]);
    const opened = once(reader.stdout, 'data');
    const writer = spawn('sh', ['-c', 'exec 3>"$0"; read end', pipe]);
    await opened;
    const server = await startServer(config(pipe), { admin: 'token: t' });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    const headers = { 'user-agent': 'u'.repeat(1000), referer: 'r'.repeat(1000) };
    const ask = (): Promise<number> =>
      new Promise((resolve, reject) => {
        http
          .get(`${server.url}/fixed/${'p'.repeat(1000)}`, { agent, headers }, (response) => {
            response.resume().on('end', () => resolve(response.statusCode ?? 0));
          })
          .on('error', reject);
      });
    const statuses = new Set<number>();
    // 8 MiB wait in the server, and the pipe holds 64 KiB.
    for (let round = 0; round < 45; round += 1)
      for (const status of await Promise.all(Array.from({ length: 64 }, ask))) statuses.add(status);
    agent.destroy();
    expect([...statuses]).toEqual([200]);
    const scraped = await fetch(`${server.adminUrl}/metrics`, { headers: { authorization: 'Bearer t' } });
    const dropped = /^backworks_access_log_dropped_lines_total (\d+)$/m.exec(await scraped.text())?.[1];
    expect(Number(dropped)).toBeGreaterThan(0);
    const told = server.log.filter(({ message }) => /^lines of the access log are dropped/.test(message));
    expect(told).toHaveLength(1);
    await server.backworks.stop();
    reader.stdin.end('\n');
    writer.stdin.end('\n');
  });
});

describe('standard output', () => {
  test('gets the lines beside the log of the server, all of them before the server exits', async () => {
    const file = place('stdout.yaml');
    writeFileSync(file, `server: { port: 0 }\nadmin: { enabled: false }\n${config('stdout')}\n`);
    const command = new RunningCommand(['start', '--config', file]);
    const { url } = await command.logged(/^listening on/);
    for (const path of ['1', '2', '3']) await (await fetch(`${String(url)}/fixed/${path}`)).text();
    command.child.kill('SIGTERM');
    expect((await command.finished).code).toBe(0);
    const logged = command.log.filter(({ request_id: id }) => id !== undefined).map(({ path }) => path);
    expect(logged).toEqual(['/fixed/1', '/fixed/2', '/fixed/3']);
  });
});
