import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { RunningCommand } from '../cli/command.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { rawAsk } from '../fixtures/raw-http.js';
import { eventually } from '../fixtures/server.js';

/** Spans as a collector receives them from OpenTelemetry's own exporter, in a server that was started as usual. */
ownCache();
const SDK = fileURLToPath(new URL('../fixtures/opentelemetry.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'backworks-tracing-'));

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[];
  readonly links?: readonly { traceId: string; spanId: string }[];
  /** Code 2 is an error. */
  readonly status: { code: number; message?: string };
}

const spans: Span[] = [];
const collector = http.createServer((request, response) => {
  void keep(request).then(() => response.end('{}'));
});
async function keep(request: http.IncomingMessage): Promise<void> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  const { resourceSpans } = JSON.parse(body) as {
    resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
  };
  spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
}
const asked: http.IncomingHttpHeaders[] = [];
const target = http.createServer((request, response) => {
  asked.push(request.headers);
  response.statusCode = request.url === '/upstream/missing' ? 404 : 200;
  response.end('from the target');
});
const portOf = async (server: http.Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};
const collectorPort = await portOf(collector);
const targetPort = await portOf(target);

const running: RunningCommand[] = [];
afterAll(async () => {
  for (const { child } of running) child.kill('SIGTERM');
  await Promise.all(running.map(({ finished }) => finished));
  for (const server of [collector, target]) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(directory, { recursive: true, force: true });
});

let files = 0;
function start(tracing: string, imports: readonly string[], server = ''): RunningCommand {
  const file = join(directory, `${(files += 1)}.yaml`);
  writeFileSync(
    file,
    `
server: { port: 0${server} }
admin: { enabled: false }
tracing: { ${tracing} }
logging: { format: json, access: { format: json, file: ${file}.log } }
endpoints:
  shown: { path: "/shown/{any}", plugin: shows-request }
  upstream: { path: "/upstream/*", proxy: { target: "http://127.0.0.1:${targetPort}" } }
  crashes: { path: /crashes, plugin: crash }
plugins:
  tag: { path: ${compilePlugin('tag')}, config: { tag: a }, timeouts: { call: 10s } }
  shows-request: { path: ${compilePlugin('shows_request')}, timeouts: { call: 10s } }
  crash: { path: ${compilePlugin('abort_call')}, timeouts: { call: 10s } }
`,
  );
  const env = { OTEL_COLLECTOR: `http://127.0.0.1:${collectorPort}/v1/traces` };
  const command = new RunningCommand(['start', '-c', file], { imports, env });
  running.push(command);
  return command;
}

async function urlOf(command: RunningCommand): Promise<string> {
  const { msg } = await command.logged(/http:\/\/127/);
  return /http:\/\/[\d.:]+/.exec(String(msg))![0];
}

const attributeOf = (span: Span, name: string): unknown => {
  const value = span.attributes.find(({ key }) => key === name)?.value;
  return value === undefined ? undefined : Object.values(value)[0];
};

/** The span of a request, when it has arrived, and its children by name. */
async function received(id: string): Promise<{ request: Span; children: Map<string, Span> }> {
  const find = (): Span | undefined => spans.find((span) => attributeOf(span, 'backworks.request_id') === id);
  await eventually(() => find() !== undefined, `the span of request ${id}`);
  const request = find()!;
  const children = spans.filter(({ parentSpanId }) => parentSpanId === request.spanId);
  return { request, children: new Map(children.map((span) => [span.name, span])) };
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const traced = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=1' };
const ask = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers });
  const body = await response.text();
  return { id: response.headers.get('x-request-id')!, status: response.status, body };
};

describe('with an SDK', () => {
  const url = urlOf(start('enabled: true', [SDK]));

  test('a request, its hooks and its endpoint have spans in the trace of the client', async () => {
    const { id, body } = await ask(`${await url}/shown/1?secret=1`, traced);
    const { request, children } = await received(id);
    expect(request).toMatchObject({
      traceId: TRACE,
      parentSpanId: PARENT,
      name: 'GET /shown/{any}',
      kind: 2,
    });
    expect(
      Object.fromEntries(request.attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
    ).toEqual({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'url.path': '/shown/1',
      'http.route': '/shown/{any}',
      'client.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'user_agent.original': 'node',
      'backworks.endpoint': 'shown',
      'backworks.request_id': id,
      'backworks.plugin': 'shows-request',
      'http.response.status_code': 200,
      'http.response.body.size': body.length,
    });
    expect([...children.keys()].sort()).toEqual([
      'shows-request process_endpoint',
      'tag after_response',
      'tag before_request',
    ]);
    for (const child of children.values()) {
      expect(child.kind).toBe(1);
      expect(BigInt(child.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(request.startTimeUnixNano));
      expect(BigInt(child.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(request.endTimeUnixNano));
    }
    const { headers } = JSON.parse(body) as { headers: Record<string, string> };
    expect(headers).toMatchObject({
      traceparent: `00-${TRACE}-${request.spanId}-01`,
      tracestate: 'vendor=1',
    });
  });

  test('only requests make spans: starting the server makes none', async () => {
    const { id } = await ask(`${await url}/shown/1`);
    await received(id);
    expect(spans.filter(({ kind, parentSpanId }) => kind !== 2 && parentSpanId === undefined)).toEqual([]);
  });

  test('a proxy target is called with a span of its own', async () => {
    const { id } = await ask(`${await url}/upstream/x`, traced);
    const { request, children } = await received(id);
    const upstream = children.get('GET')!;
    expect(upstream).toMatchObject({ traceId: TRACE, kind: 3 });
    expect(attributeOf(upstream, 'server.address')).toBe('127.0.0.1');
    expect(Number(attributeOf(upstream, 'server.port'))).toBe(targetPort);
    expect(attributeOf(upstream, 'http.response.status_code')).toBe(200);
    expect(asked.at(-1)).toMatchObject({
      traceparent: `00-${TRACE}-${upstream.spanId}-01`,
      tracestate: 'vendor=1',
    });
    expect(request.status.code).toBe(0);
  });

  test('an error of the target is an error of its span only', async () => {
    const { id } = await ask(`${await url}/upstream/missing`);
    const { request, children } = await received(id);
    expect(children.get('GET')!.status.code).toBe(2);
    expect(request.status.code).toBe(0);
  });

  test('a failed call names its error, and the request fails with it', async () => {
    const { id, status } = await ask(`${await url}/crashes`);
    expect(status).toBe(503);
    const { request, children } = await received(id);
    const call = children.get('crash process_endpoint')!;
    expect(call.status.code).toBe(2);
    expect(attributeOf(call, 'error.type')).toBe('BW_PLUGIN_CRASHED');
    expect(request.status.code).toBe(2);
    expect(attributeOf(request, 'error.type')).toBe('503');
  });

  test('a request without a trace begins one, and a malformed traceparent counts as none', async () => {
    const given: Record<string, string>[] = [{}, { traceparent: '00-xyz-1-01' }];
    for (const headers of given) {
      const { id, body } = await ask(`${await url}/shown/1`, headers);
      const { request } = await received(id);
      expect(request.parentSpanId).toBeUndefined();
      expect((JSON.parse(body) as { headers: Record<string, string> }).headers.traceparent).toBe(
        `00-${request.traceId}-${request.spanId}-01`,
      );
    }
  });

  test('a request that is refused before it is routed has a span', async () => {
    const { port } = new URL(await url);
    await rawAsk(Number(port), 'GET /refused HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    const find = (): Span | undefined => spans.find((span) => attributeOf(span, 'url.path') === '/refused');
    await eventually(() => find() !== undefined, 'the span of the refused request');
    expect(Number(attributeOf(find()!, 'http.response.status_code'))).toBe(400);
    expect(attributeOf(find()!, 'http.route')).toBeUndefined();
  });
});

test('with incoming: link, a request begins a trace of its own with a link to the span of the client', async () => {
  const url = await urlOf(start('enabled: true, incoming: link', [SDK]));
  const { id } = await ask(`${url}/shown/1`, traced);
  const { request } = await received(id);
  expect(request.traceId).not.toBe(TRACE);
  expect(request.parentSpanId).toBeUndefined();
  expect(request.links).toMatchObject([{ traceId: TRACE, spanId: PARENT }]);
});

test('workers make spans too', async () => {
  const url = await urlOf(start('enabled: true', [SDK], ', workers: 2'));
  const { id } = await ask(`${url}/upstream/x`, traced);
  const { request, children } = await received(id);
  expect(request.traceId).toBe(TRACE);
  expect(children.has('GET')).toBe(true);
});

test('without an SDK the server warns, and headers pass unchanged', async () => {
  const command = start('enabled: true', []);
  const url = await urlOf(command);
  expect(await command.logged(/no OpenTelemetry SDK is registered/)).toMatchObject({ level: 'warn' });
  const { body } = await ask(`${url}/shown/1`, traced);
  expect((JSON.parse(body) as { headers: object }).headers).toMatchObject(traced);
  await ask(`${url}/upstream/x`, traced);
  expect(asked.at(-1)).toMatchObject(traced);
});

test('a server that does not trace leaves the headers of the client as they are', async () => {
  const url = await urlOf(start('enabled: false', [SDK]));
  const { body } = await ask(`${url}/shown/1`, traced);
  expect((JSON.parse(body) as { headers: object }).headers).toMatchObject(traced);
});
