import type http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { endpoint } from '../pipeline/documents/sample-request.js';
import { scriptPlugin, tracer } from '../pipeline/script-plugin.js';
import { appOf, ask, served, upstream } from './served.js';
import { proxyTarget } from '../proxy/proxy-config.js';

const MIB = 1024 * 1024;

/** Sends `parts` with a pause after each. @returns everything that the server sends until it closes the connection */
function drip(port: number, parts: readonly string[], pauseMs = 0): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString())).on('error', reject);
    socket.on('close', () => resolve(received));
    void (async () => {
      for (const part of parts) {
        socket.write(part);
        await sleep(pauseMs);
      }
    })();
  });
}

const head = (length: number, close = ''): string =>
  `POST /up/x HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n${close}\r\n`;

const echo = scriptPlugin('echo', {
  processEndpoint: async () => ({ status: 200, headers: {}, body: 'whole' }),
});

const proxyTo = (target: string, timeoutMs: number) => endpoint('/up/*', proxyTarget(target, { timeoutMs }));

const takesAll: http.RequestListener = (request, response) => {
  request.resume().on('end', () => response.end('whole'));
};

describe('a client that stops in the middle of its body gets a 408, and the connection is closed', () => {
  const stopped = /^HTTP\/1\.1 408 [^]*\r\nconnection: close\r\n[^]*"code":"BW_REQUEST_TIMEOUT"/i;

  test('when a plugin would answer', () =>
    served(
      appOf([endpoint('/up/*', { kind: 'plugin', plugin: 'echo' })], [echo], MIB, 100),
      async ({ port }) => {
        expect(await drip(port, [`${head(10)}half`])).toMatch(stopped);
      },
    ));

  test.each([
    ['streamed', []],
    ['after a hook', [tracer('t')]],
  ])('when a target gets the body %s, without a timeout of the target', (_how, plugins) =>
    upstream(takesAll, (target) =>
      served(appOf([proxyTo(target, 500)], plugins, MIB, 1500), async ({ port }) => {
        expect(await drip(port, [`${head(10)}half`])).toMatch(stopped);
      }),
    ),
  );
});

test.each([
  ['streamed', []],
  ['after a hook', [tracer('t')]],
])('a body that arrives slowly reaches the target %s', (_how, plugins) =>
  upstream(takesAll, (target) =>
    served(appOf([proxyTo(target, 500)], plugins, MIB, 10_000), async ({ port }) => {
      const parts = [`${head(6, 'Connection: close\r\n')}1`, '2', '3', '4', '5', '6'];
      expect(await drip(port, parts, 600)).toMatch(/^HTTP\/1\.1 200 [^]*whole/);
    }),
  ),
);

test('the time that a target takes to read does not count against the client', async () => {
  const hesitates: http.RequestListener = (request, response) => {
    setTimeout(() => takesAll(request, response), 1000);
  };
  await upstream(hesitates, (target) =>
    served(appOf([proxyTo(target, 10_000)], [], 64 * MIB, 300), async ({ url }) => {
      const answer = await ask(`${url}/up/x`, { method: 'POST' }, Buffer.alloc(32 * MIB));
      expect(answer.status).toBe(200);
    }),
  );
});
