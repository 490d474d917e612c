/**
 * What metrics of requests, the access log and tracing cost: CPU time of the server per request, in short alternating rounds.
 *
 *   node bench/observing.mjs [ROUNDS] [REQUESTS PER ROUND]
 *
 * A separate program, because it compares differences of a few microseconds: all servers run at once, and each
 * round is compared with the bare server's round beside it. Figures are in docs/decisions/0028-access-log.md and
 * 0035-tracing.md.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CONNECTIONS = 64;
const HEAD = [
  'GET /weather HTTP/1.1',
  'Host: 127.0.0.1',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'Referer: http://127.0.0.1/index.html',
  'Accept: */*',
].join('\r\n');

const self = fileURLToPath(import.meta.url);
const [role, ...args] = process.argv.slice(2);
if (role === 'server') await serve(args[0], args[1]);
else if (role === 'load') process.on('message', load);
else await compare(Number(role ?? 15), Number(args[0] ?? 10_000));

async function compare(rounds, requests) {
  const directory = mkdtempSync(join(tmpdir(), 'backworks-observing-'));
  const log = (format) => `logging: { access: { format: ${format}, file: ${join(directory, format)} } }`;
  const variants = {
    bare: 'admin: { enabled: false }',
    'metrics of requests': 'admin: { port: 0 }',
    'access log, combined': `admin: { enabled: false }\n${log('combined')}`,
    'access log, json': `admin: { enabled: false }\n${log('json')}`,
    'tracing, no request sampled': `admin: { enabled: false }\ntracing: { enabled: true }`,
    'tracing, every request sampled': `admin: { enabled: false }\ntracing: { enabled: true }`,
  };
  const generator = fork(self, ['load']);
  const servers = [];
  for (const [name, yaml] of Object.entries(variants)) {
    const child = fork(self, ['server', yaml, name]);
    const [{ port }] = await once(child, 'message');
    servers.push({ name, child, port, costs: [] });
  }
  for (const { port } of servers) await ask(generator, { port, requests: 40_000 });
  for (let round = 0; round < rounds; round += 1) {
    for (const server of round % 2 === 0 ? servers : [...servers].reverse()) {
      const before = await ask(server.child, 'cpu');
      await ask(generator, { port: server.port, requests });
      server.costs.push((await ask(server.child, 'cpu')) - before);
    }
  }
  const [bare] = servers;
  for (const { name, child, costs } of servers) {
    const perRequest = costs.map((cost) => cost / requests);
    const more = costs.map((cost, round) => (cost - bare.costs[round]) / requests);
    const figures = [median(perRequest), Math.min(...perRequest), median(more)].map((figure) =>
      figure.toFixed(2),
    );
    process.stdout.write(
      `${name}: ${figures[0]} µs (least ${figures[1]}), ${figures[2]} µs more than bare\n`,
    );
    child.send('stop');
  }
  generator.disconnect();
  rmSync(directory, { recursive: true });
}

async function ask(child, message) {
  const answer = once(child, 'message');
  child.send(message);
  return (await answer)[0];
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** An SDK whose spans go nowhere: what is measured is making them. */
async function registerSdk(name) {
  const { propagation, trace } = await import('@opentelemetry/api');
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core');
  const sdk = await import('@opentelemetry/sdk-trace-base');
  const sampler = name.endsWith('no request sampled')
    ? new sdk.AlwaysOffSampler()
    : new sdk.AlwaysOnSampler();
  trace.setGlobalTracerProvider(new sdk.BasicTracerProvider({ sampler }));
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

async function serve(yaml, name) {
  if (name.startsWith('tracing')) await registerSdk(name);
  const { createBackworks, parseConfig } = await import('../dist/index.js');
  const endpoint = 'weather: { path: /weather, response: { body: { city: Oslo, temperature: 6.7 } } }';
  const text = `server: { port: 0 }\nendpoints: { ${endpoint} }\n${yaml}`;
  const backworks = createBackworks(parseConfig(text, { directory: tmpdir() }).config);
  const { url } = await backworks.start();
  process.on('message', (message) => {
    const { user, system } = process.cpuUsage();
    if (message === 'cpu') process.send(user + system);
    else void backworks.stop().then(() => process.disconnect());
  });
  process.send({ port: Number(new URL(url).port) });
}

/** A closed loop: each connection sends its next request when it has its answer. */
function load({ port, requests }) {
  let sent = 0;
  let answered = 0;
  const sockets = Array.from({ length: CONNECTIONS }, () => {
    const socket = net.connect(port, '127.0.0.1');
    const next = () => {
      if (sent === requests) return;
      sent += 1;
      socket.write(`${HEAD}\r\n\r\n`);
    };
    let received = '';
    socket.on('connect', next).on('data', (chunk) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
      if (received.length < end + 4 + length) return;
      if (!received.startsWith('HTTP/1.1 200 ')) throw new Error(received);
      received = '';
      answered += 1;
      if (answered < requests) next();
      else {
        for (const other of sockets) other.destroy();
        process.send('done');
      }
    });
    return socket;
  });
}
