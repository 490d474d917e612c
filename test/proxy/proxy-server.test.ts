import http from 'node:http';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { startServer } from '../fixtures/server.js';
import { endpoint } from '../pipeline/documents/sample-request.js';
import { appOf, ask, served, upstream } from '../http/served.js';
import { tracer } from '../pipeline/script-plugin.js';
import { proxyTarget } from './proxy-config.js';

test('a target keeps its state and its counters over a reload that does not change it', async () => {
  await upstream(
    (_request, response) => void response.end('a'),
    async (alive) => {
      const gone = await upstream(
        () => {},
        (url) => Promise.resolve(url),
      );
      const yaml = (more: string): string => `
endpoints:
  x: { path: /x, proxy: { targets: ["${gone}", "${alive}"], circuit_breaker: { failures: 1, reset_after: 1h }${more} } }
`;
      const server = await startServer(yaml(''));
      const metrics = async (): Promise<string[]> => {
        const headers = { authorization: `Bearer ${server.adminToken}` };
        const text = await (await fetch(`${server.adminUrl}/metrics`, { headers })).text();
        return text.split('\n').filter((line) => line.startsWith('backworks_proxy_'));
      };
      for (let i = 0; i < 4; i += 1) expect((await server.get('/x')).body).toBe('a');
      const expected = [
        `backworks_proxy_target_up{endpoint="x",target="${gone}"} 0`,
        `backworks_proxy_target_up{endpoint="x",target="${alive}"} 1`,
        `backworks_proxy_requests_total{endpoint="x",target="${gone}"} 1`,
        `backworks_proxy_failures_total{endpoint="x",target="${gone}"} 1`,
      ];
      expect(await metrics()).toEqual(expect.arrayContaining(expected));
      expect(await metrics()).toContain('backworks_proxy_retries_total{endpoint="x"} 1');

      await server.change(yaml(', timeout: 7s'));
      expect((await server.get('/x')).body).toBe('a');
      expect(await metrics()).toEqual(expect.arrayContaining(expected));
    },
  );
});

test.each(['streamed', 'passed by a hook'])('trailers of an answer reach the client (%s)', async (how) => {
  const answer: http.RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', trailer: 'x-sum' });
    response.write('data: 1\n\n');
    response.addTrailers({ 'x-sum': '7', 'set-cookie': 'a=1' });
    response.end();
  };
  await upstream(answer, (target) =>
    served(
      appOf([endpoint('/x/*', proxyTarget(target))], how === 'streamed' ? [] : [tracer('t')]),
      async ({ url }) => {
        const trailers = await new Promise((resolve, reject) => {
          const request = http.get(`${url}/x/1`, { agent: false }, (response) => {
            response.on('error', reject).on('end', () => resolve(response.trailers));
            response.resume();
          });
          request.on('error', reject);
        });
        expect(trailers).toEqual({ 'x-sum': '7' });
      },
    ),
  );
});

test('early hints of a target reach the client before the answer; other interim answers do not', async () => {
  const target = net.createServer((socket) => {
    socket
      .on('error', () => undefined)
      .once('data', () => {
        socket.write('HTTP/1.1 102 Processing\r\n\r\n');
        socket.write(
          'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\nX-Secret: 1\r\n\r\n',
        );
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: malformed\r\n\r\n');
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const { port } = target.address() as net.AddressInfo;
  await served(appOf([endpoint('/x/*', proxyTarget(`http://127.0.0.1:${port}`))]), async ({ url }) => {
    const seen: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      const request = http.get(`${url}/x/1`, { agent: false });
      request.on('information', ({ statusCode, headers }) => seen.push([statusCode, headers]));
      request.on('response', (response) => {
        seen.push(response.statusCode);
        response.resume().on('end', resolve);
      });
      request.on('error', reject);
    });
    expect(seen).toEqual([[103, { link: '</a.css>; rel=preload; as=style' }], 200]);
  });
  target.close();
});

test('host, prefixes, locations and cookies: the target and the client each see what is true for them', async () => {
  const answer: http.RequestListener = (request, response) => {
    const { host, 'x-forwarded-prefix': prefix } = request.headers;
    const headers = { location: `http://${host}/v2/next`, 'set-cookie': ['a=1; Path=/v2'] };
    response.writeHead(201, headers).end(JSON.stringify({ host, prefix, url: request.url }));
  };
  await upstream(answer, async (target) => {
    const wish = { stripPrefix: '/x', addPrefix: '/v2', host: 'api.internal' };
    await served(appOf([endpoint('/x/*', proxyTarget(target, wish))]), async ({ url }) => {
      const got = await ask(`${url}/x/1?q`);
      expect(JSON.parse(got.body.toString())).toEqual({ host: 'api.internal', prefix: '/x', url: '/v2/1?q' });
      expect(got.headers).toMatchObject({ location: '/x/next', 'set-cookie': ['a=1; Path=/x'] });
    });
    await served(
      appOf([endpoint('/x/*', proxyTarget(target, { host: 'preserve' }))]),
      async ({ url, port }) => {
        const got = await ask(`${url}/x/1`);
        expect(JSON.parse(got.body.toString())).toMatchObject({ host: `127.0.0.1:${port}`, url: '/x/1' });
      },
    );
  });
});
