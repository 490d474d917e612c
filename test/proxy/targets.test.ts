import http from 'node:http';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { createApp, prepareRoutes } from '../../dist/http/app.js';
import type { Listener } from '../../dist/http/listen.js';
import type { Log } from '../../dist/log.js';
import { PluginOrchestrator } from '../../dist/pipeline/orchestrator.js';
import { eventually } from '../fixtures/server.js';
import { endpoint } from '../pipeline/documents/sample-request.js';
import { ask, problemOf, served } from '../http/served.js';
import { proxyTarget, type ProxyWish } from './proxy-config.js';

function answering(body: string): http.RequestListener {
  return (_request, response) => void response.end(body);
}

/** A target that can be killed and started again on its port. */
class Backend {
  readonly requests: string[] = [];
  private server = http.createServer();
  private port = 0;

  constructor(
    readonly name: string,
    public answer = answering(name),
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    this.server = http.createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      this.answer(request, response);
    });
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as net.AddressInfo).port;
    return this;
  }

  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}

/** Runs `use` with a server that proxies to backends. */
async function proxied(
  backends: readonly Backend[],
  wish: ProxyWish,
  use: (listener: Listener, log: string[]) => Promise<void>,
): Promise<void> {
  for (const backend of backends) await backend.start();
  const lines: string[] = [];
  const keep = (_fields: object, message: string): void => void lines.push(message);
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep };
  const orchestrator = new PluginOrchestrator({
    bodyLimitBytes: 1024 * 1024,
    bodyTimeoutMs: 30_000,
    offersUnmatched: () => true,
    log,
  });
  const endpoints = [
    {
      ...endpoint(
        '/x/*',
        proxyTarget(
          backends.map(({ url }) => url),
          wish,
        ),
      ),
      name: 'x',
    },
  ];
  const routes = prepareRoutes(endpoints, orchestrator);
  orchestrator.serve(endpoints);
  try {
    await served(createApp({ routes: () => routes, orchestrator, log }), (listener) => use(listener, lines));
  } finally {
    orchestrator.serve([]);
    for (const backend of backends) await backend.kill().catch(() => undefined);
  }
}

const bodyOf = async (url: string, options: http.RequestOptions = {}, body?: string): Promise<string> =>
  (await ask(`${url}/x/1`, options, body)).body.toString();

test('round robin gives each target its share, spread evenly', async () => {
  const [a, b] = [new Backend('a'), new Backend('b')];
  await proxied([a, b], {}, async ({ url }) => {
    const seen: string[] = [];
    for (let i = 0; i < 4; i += 1) seen.push(await bodyOf(url));
    expect(seen).toEqual(['a', 'b', 'a', 'b']);
  });
});

test('a target with weight 2 gets two of three requests', async () => {
  const backends = [new Backend('a'), new Backend('b')];
  for (const backend of backends) await backend.start();
  const targets = backends.map(({ url }, index) => ({ url, weight: 2 - index }));
  for (const backend of backends) await backend.kill();
  await proxied(backends, { targets }, async ({ url }) => {
    const seen: string[] = [];
    for (let i = 0; i < 6; i += 1) seen.push(await bodyOf(url));
    expect(seen.join('')).toBe('abaaba');
  });
});

test('least connections avoids a target that is busy', async () => {
  const held: http.ServerResponse[] = [];
  const busy = new Backend('busy', (_request, response) => void held.push(response));
  await proxied([busy, new Backend('idle')], { balance: 'least_connections' }, async ({ url }) => {
    const waiting: Promise<string>[] = [];
    while (held.length === 0) {
      waiting.push(bodyOf(url));
      await Promise.race([waiting.at(-1), eventually(() => held.length > 0, 'a request at the busy target')]);
    }
    for (let i = 0; i < 5; i += 1) expect(await bodyOf(url)).toBe('idle');
    held[0]!.end('busy');
    expect(await waiting.at(-1)).toBe('busy');
  });
});

test('no idempotent request fails when a target dies under load and comes back', async () => {
  const [a, b] = [new Backend('a'), new Backend('b')];
  const slowly =
    (name: string): http.RequestListener =>
    (_request, response) =>
      void setTimeout(() => response.end(name), 2);
  a.answer = slowly('a');
  b.answer = slowly('b');
  await proxied([a, b], { circuitBreaker: { failures: 3, resetAfterMs: 50 } }, async ({ url }, log) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    const seen = new Map<string, number>();
    let running = true;
    const client = async (): Promise<void> => {
      while (running) {
        const { status, body } = await ask(`${url}/x/1`, { agent });
        const key = `${status} ${status === 200 ? body.toString() : body.toString()}`;
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 16 }, client);
    await eventually(() => (seen.get('200 a') ?? 0) > 50, 'answers of both');
    await a.kill();
    await eventually(() => log.some((line) => line.includes('is out')), 'the target being taken out');
    const before = seen.get('200 b')!;
    await eventually(() => seen.get('200 b')! > before + 50, 'answers of the other target');
    await a.start();
    await eventually(() => log.some((line) => line.includes('is up again')), 'the return of the target');
    const back = seen.get('200 a')!;
    await eventually(() => seen.get('200 a')! > back + 50, 'answers of the returned target');
    running = false;
    await Promise.all(clients);
    agent.destroy();
    expect([...seen.keys()].sort()).toEqual(['200 a', '200 b']);
    expect(log.find((line) => line.includes('is out'))).toMatch(
      /^target http:\/\/127.0.0.1:\d+ of endpoint x is out: \d+ requests in a row failed; the last one: .*; one request tries it again in 0.05 s; 1 of the endpoint's 2 targets is up$/,
    );
  });
});

test('a request without a connection goes to another target, whatever its method and with its body', async () => {
  const [dead, echo] = [
    new Backend('dead'),
    new Backend('echo', (request, response) => void request.pipe(response)),
  ];
  await proxied([dead, echo], {}, async ({ url }) => {
    await dead.kill();
    for (let i = 0; i < 4; i += 1)
      expect(await bodyOf(url, { method: 'POST' }, `body ${i}`)).toBe(`body ${i}`);
  });
});

const reset: http.RequestListener = (request) =>
  void request.resume().on('end', () => request.socket.destroy());

test('after a reset only idempotent requests are repeated, and none whose body was passed on', async () => {
  const backends = [new Backend('a', reset), new Backend('b', reset), new Backend('c', reset)];
  const count = (): number => backends.reduce((sum, { requests }) => sum + requests.length, 0);
  const sent = async (url: string, method: string, body?: string): Promise<number> => {
    const before = count();
    const answer = await ask(`${url}/x/1`, { method }, body);
    expect(problemOf(answer)).toMatchObject({ status: 502, code: 'BW_PROXY_UPSTREAM' });
    return count() - before;
  };
  await proxied(backends, { circuitBreaker: { failures: 1000 } }, async ({ url }) => {
    expect(await sent(url, 'GET')).toBe(3);
    expect(await sent(url, 'DELETE')).toBe(3);
    expect(await sent(url, 'POST')).toBe(1);
    expect(await sent(url, 'PUT', 'streamed')).toBe(1);
  });
});

test.each<[string, ProxyWish, number]>([
  ['attempts', { retry: { attempts: 2 } }, 2],
  ['a budget of 0%', { retry: { budgetPercent: 0 } }, 1],
  ['conditions', { retry: { on: ['connect', 'timeout'] } }, 1],
])('%s limits how often a request is sent', async (_what, wish, times) => {
  const backends = [new Backend('a', reset), new Backend('b', reset), new Backend('c', reset)];
  await proxied(backends, wish, async ({ url }) => {
    expect((await ask(`${url}/x/1`)).status).toBe(502);
    expect(backends.flatMap(({ requests }) => requests)).toHaveLength(times);
  });
});

test('an answer with a listed status is replaced by that of another target, if there is one', async () => {
  const refuse: http.RequestListener = (_request, response) => void response.writeHead(503).end('busy');
  const [a, b] = [new Backend('a', refuse), new Backend('b')];
  await proxied([a, b], { retry: { statuses: [503] } }, async ({ url }) => {
    for (let i = 0; i < 4; i += 1) expect(await bodyOf(url)).toBe('b');
    expect(a.requests).toHaveLength(2);
    b.answer = refuse;
    expect(await ask(`${url}/x/1`)).toMatchObject({ status: 503, body: Buffer.from('busy') });
    expect((await ask(`${url}/x/1`, { method: 'POST' })).status).toBe(503);
  });
});

test('targets whose circuits are open are tried when no other is left', async () => {
  const backends = [new Backend('a'), new Backend('b')];
  await proxied(
    backends,
    { circuitBreaker: { failures: 1, resetAfterMs: 600_000 } },
    async ({ url }, log) => {
      for (const backend of backends) await backend.kill();
      expect((await ask(`${url}/x/1`)).status).toBe(502);
      expect(log.filter((line) => line.includes('is out'))).toHaveLength(2);
      for (const backend of backends) await backend.start();
      expect(['a', 'b']).toContain(await bodyOf(url));
      expect(log.filter((line) => line.includes('is up again'))).toHaveLength(1);
    },
  );
});

test('checks take a target down and bring it back; without any target the answer says why', async () => {
  let healthy = false;
  const checked: http.RequestListener = (request, response) => {
    if (request.url === '/healthz') response.statusCode = healthy ? 204 : 500;
    response.end('a');
  };
  const a = new Backend('a', checked);
  const health = {
    path: '/healthz',
    intervalMs: 20,
    timeoutMs: 20_000,
    healthyAfter: 2,
    unhealthyAfter: 2,
    statuses: [],
  };
  await proxied([a, new Backend('b')], { health }, async ({ url }, log) => {
    await eventually(() => log.some((line) => line.includes('is down')), 'the target being down');
    expect(log.find((line) => line.includes('is down'))).toMatch(
      /is down: 2 checks in a row failed; the last one: status 500; it gets no requests until checks pass; 1 of/,
    );
    for (let i = 0; i < 4; i += 1) expect(await bodyOf(url)).toBe('b');
    healthy = true;
    await eventually(() => log.some((line) => line.includes('is up again')), 'the target being up');
    const seen = new Set([await bodyOf(url), await bodyOf(url)]);
    expect([...seen].sort()).toEqual(['a', 'b']);
  });
});

test('a request is refused with 503 when checks have failed for every target', async () => {
  const sick: http.RequestListener = (_request, response) => void response.writeHead(500).end();
  const health = {
    path: '/',
    intervalMs: 1500,
    timeoutMs: 20_000,
    healthyAfter: 1,
    unhealthyAfter: 1,
    statuses: [],
  };
  await proxied([new Backend('a', sick), new Backend('b', sick)], { health }, async ({ url }, log) => {
    await eventually(
      () => log.filter((line) => line.includes('is down')).length === 2,
      'both targets being down',
    );
    const answer = await ask(`${url}/x/1`);
    expect(answer.headers['retry-after']).toBe('2');
    expect(problemOf(answer)).toMatchObject({
      status: 503,
      code: 'BW_PROXY_UNAVAILABLE',
      detail:
        'target 1 of endpoint x is down: one check failed; the last one: status 500; ' +
        'target 2 of endpoint x is down: one check failed; the last one: status 500',
    });
  });
});

test('a target that accepts no connection in time is answered with 504, and others are tried before', async () => {
  // The kernel accepts connections for a full backlog only after a while: the third one waits.
  const blackhole = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => blackhole.once('listening', resolve));
  const { port } = blackhole.address() as net.AddressInfo;
  const secure = `https://127.0.0.1:${port}`;
  blackhole.on('connection', (socket) => socket.on('error', () => undefined).resume());
  const orchestrator = new PluginOrchestrator({
    bodyLimitBytes: 1024,
    bodyTimeoutMs: 30_000,
    offersUnmatched: () => true,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
  const endpoints = [endpoint('/x/*', proxyTarget(secure, { connectTimeoutMs: 100 }))];
  const routes = prepareRoutes(endpoints, orchestrator);
  const app = createApp({
    routes: () => routes,
    orchestrator,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await served(app, async ({ url }) => {
    const answer = problemOf(await ask(`${url}/x/1`, { method: 'POST' }, 'body'));
    expect(answer).toMatchObject({
      status: 504,
      code: 'BW_PROXY_TIMEOUT',
      detail: 'the target of endpoint /x/* did not accept a connection within 100 ms',
    });
  });
  await new Promise((resolve) => blackhole.close(resolve));
});
