import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { endpoint } from '../pipeline/documents/sample-request.js';
import { scriptPlugin, tracer } from '../pipeline/script-plugin.js';
import { proxyTarget } from './proxy-config.js';
import { eventually } from '../fixtures/server.js';
import { BODY_LIMIT, appOf, ask, problemOf, served, upstream } from '../http/served.js';

const TEN_MIB = 10 * 1024 * 1024;

function proxyTo(target: string, timeoutMs = 5000) {
  return endpoint('/legacy/*', proxyTarget(target, { timeoutMs }));
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Answers with the request it received, as JSON. */
const mirror: http.RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, headers } = request;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
};

interface Mirrored {
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

test('appends path and query to the target’s path, and drops hop-by-hop headers', async () => {
  await upstream(mirror, (target) =>
    served(appOf([proxyTo(`${target}/base/`)]), async ({ url, port }) => {
      const headers = {
        connection: 'x-private, keep-alive',
        'x-private': '1',
        te: 'trailers',
        'x-kept': 'yes',
        'x-forwarded-for': '198.51.100.1',
        'x-forwarded-host': 'forged',
        forwarded: 'for=198.51.100.1',
      };
      const answer = await ask(`${url}/legacy/a%2Fb?x=1&x=%20`, { method: 'DELETE', headers });
      const seen = JSON.parse(answer.body.toString()) as Mirrored;

      expect(seen).toMatchObject({ method: 'DELETE', url: '/base/legacy/a%2Fb?x=1&x=%20', body: '' });
      expect(seen.headers).toMatchObject({
        host: new URL(target).host,
        'x-kept': 'yes',
        'x-forwarded-for': '198.51.100.1, 127.0.0.1',
        'x-forwarded-host': `127.0.0.1:${port}`,
        'x-forwarded-proto': 'http',
        forwarded: 'for=198.51.100.1, for=127.0.0.1;proto=http',
        'x-request-id': answer.headers['x-request-id'],
      });
      expect(seen.headers).not.toHaveProperty('x-private');
      expect(seen.headers).not.toHaveProperty('te');
    }),
  );
});

test('sends the request to the target as plugins changed it', async () => {
  const patcher = scriptPlugin('patcher', {
    beforeRequest: async () => ({
      kind: 'patch',
      patch: {
        method: 'PUT',
        path: '/legacy/new',
        query: { q: 'ä&b' },
        headers: { 'x-user': '7' },
        body: { n: 2 },
      },
    }),
  });
  await upstream(mirror, (target) =>
    served(appOf([proxyTo(target)], [patcher]), async ({ url }) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await ask(`${url}/legacy/old?q=1`, { method: 'POST', headers }, '{"n":1,"kept":true}');
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        method: 'PUT',
        url: '/legacy/new?q=%C3%A4%26b',
        headers: { 'x-user': '7', 'content-length': '19' },
        body: '{"n":2,"kept":true}',
      });
    }),
  );
});

test.each([
  ['streamed', []],
  ['read by a plugin', [tracer('t')]],
])('passes 10 MiB unchanged in both directions, %s', async (_how, plugins) => {
  const bytes = randomBytes(TEN_MIB);
  const echoBytes: http.RequestListener = (request, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    request.pipe(response);
  };
  await upstream(echoBytes, (target) =>
    served(appOf([proxyTo(target)], plugins, TEN_MIB), async ({ url }) => {
      const answer = await ask(`${url}/legacy/x`, { method: 'POST' }, bytes);
      expect(answer.status).toBe(200);
      expect(hash(answer.body)).toBe(hash(bytes));
    }),
  );
});

test('passes an answer on that comes long before the whole body was sent', async () => {
  const echo: http.RequestListener = (request, response) => {
    response.writeHead(200);
    request.pipe(response);
  };
  await upstream(echo, (target) =>
    served(appOf([proxyTo(target)]), async ({ url }) => {
      const answer = await new Promise<string>((resolve, reject) => {
        const request = http.request(`${url}/legacy/x`, { method: 'POST', agent: false }, (response) => {
          let text = '';
          response
            .setEncoding('utf8')
            .on('error', reject)
            .on('end', () => resolve(text));
          response.on('data', (part: string) => {
            // Longer than the server keeps reading a discarded body.
            if (text === '') setTimeout(() => request.end('last'), 700);
            text += part;
          });
        });
        request.on('error', reject).write('first ');
      });
      expect(answer).toBe('first last');
    }),
  );
});

test('passes the first part of an answer on before the last part is sent', async () => {
  let finish = (): void => {};
  const slow: http.RequestListener = (_request, response) => {
    response.write('first');
    finish = () => response.end('last');
  };
  await upstream(slow, (target) =>
    served(appOf([proxyTo(target)]), async ({ url }) => {
      const response = await fetch(`${url}/legacy/x`);
      const reader = response.body!.getReader();
      expect(Buffer.from((await reader.read()).value).toString()).toBe('first');
      finish();
      expect(Buffer.from((await reader.read()).value).toString()).toBe('last');
      expect((await reader.read()).done).toBe(true);
    }),
  );
});

test('passes the first part of a request on before the last part is sent', async () => {
  let arrived = (_chunk: Buffer): void => {};
  const firstChunk = new Promise<Buffer>((resolve) => (arrived = resolve));
  const reader: http.RequestListener = (request, response) => {
    request.once('data', arrived);
    request.on('end', () => response.end('done'));
  };
  await upstream(reader, (target) =>
    served(appOf([proxyTo(target)]), async ({ url }) => {
      const answered = new Promise<number>((resolve, reject) => {
        const request = http.request(`${url}/legacy/x`, { method: 'DELETE', agent: false }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode!));
        });
        request.on('error', reject).setHeader('transfer-encoding', 'chunked');
        request.write('first');
        void firstChunk.then(() => request.end('last'));
      });
      expect((await firstChunk).toString()).toBe('first');
      expect(await answered).toBe(200);
    }),
  );
});

test('passes compressed answers and redirects on unchanged', async () => {
  const zipped = gzipSync('hello');
  const handler: http.RequestListener = (_request, response) => {
    const headers = {
      'content-encoding': 'gzip',
      location: '/elsewhere',
      'set-cookie': ['a=1', 'b=2'],
      connection: 'x-hop',
      'x-hop': '1',
    };
    response.writeHead(302, headers).end(zipped);
  };
  await upstream(handler, (target) =>
    served(appOf([proxyTo(target)]), async ({ url }) => {
      const answer = await ask(`${url}/legacy/x`);
      expect(answer).toMatchObject({
        status: 302,
        headers: { location: '/elsewhere', 'set-cookie': ['a=1', 'b=2'] },
      });
      expect(answer.headers).not.toHaveProperty('x-hop');
      expect(answer.body).toEqual(zipped);
    }),
  );
});

test('HEAD and 304 have no body and do not block the next request', async () => {
  const handler: http.RequestListener = (request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '12345' }).end();
    else response.writeHead(304, { etag: '"x"' }).end();
  };
  await upstream(handler, (target) =>
    served(appOf([proxyTo(target)]), async ({ url }) => {
      expect(await ask(`${url}/legacy/x`, { method: 'HEAD' })).toMatchObject({
        status: 200,
        headers: { 'content-length': '12345' },
      });
      expect(await ask(`${url}/legacy/x`)).toMatchObject({ status: 304, headers: { etag: '"x"' } });
    }),
  );
});

test('lets after_response change the answer of a target', async () => {
  const shout = scriptPlugin('shout', {
    afterResponse: async (json) => ({
      body: (JSON.parse(json.toString()) as { body: string }).body.toUpperCase(),
    }),
  });
  const handler: http.RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '5' }).end('hello');
  };
  await upstream(handler, (target) =>
    served(appOf([proxyTo(target)], [shout]), async ({ url }) => {
      expect((await ask(`${url}/legacy/x`)).body.toString()).toBe('HELLO');
    }),
  );
});

test('answers 502 when the target sends an invalid status or is unreachable', async () => {
  const strange: http.RequestListener = (_request, response) => void response.writeHead(999).end();
  const bad = { status: 502, code: 'BW_PROXY_UPSTREAM' };

  const gone = await upstream(strange, (target) => Promise.resolve(target));
  await upstream(strange, (target) =>
    served(appOf([proxyTo(target)]), async ({ url }) => {
      expect(problemOf(await ask(`${url}/legacy/x`))).toMatchObject(bad);
    }),
  );
  await served(appOf([proxyTo(gone)]), async ({ url }) => {
    const answer = await ask(`${url}/legacy/x`);
    expect(problemOf(answer)).toMatchObject(bad);
    expect(answer.body.toString()).not.toContain(new URL(gone).port);
  });
});

test('answers 504 when the target stays silent', async () => {
  await upstream(
    () => {},
    (target) =>
      served(appOf([proxyTo(target, 50)]), async ({ url }) => {
        expect(problemOf(await ask(`${url}/legacy/x`))).toMatchObject({
          status: 504,
          code: 'BW_PROXY_TIMEOUT',
        });
      }),
  );
});

test('does not mistake a slow client for a silent target', async () => {
  const bytes = Buffer.alloc(TEN_MIB, 'x');
  await upstream(
    (_request, response) => void response.end(bytes),
    (target) =>
      served(appOf([proxyTo(target, 300)]), async ({ url }) => {
        const length = await new Promise((resolve, reject) => {
          http.get(`${url}/legacy/x`, { agent: false }, (response) => {
            let received = 0;
            response.on('error', reject).on('end', () => resolve(received));
            // Reads nothing for several times the target's timeout.
            setTimeout(() => response.on('data', (chunk: Buffer) => (received += chunk.length)), 1000);
          });
        });
        expect(length).toBe(TEN_MIB);
      }),
  );
});

test('cuts the answer off for the client when the target cuts it off', async () => {
  const breaking: http.RequestListener = (_request, response) => {
    response.write('first', () => response.destroy());
  };
  await upstream(breaking, (target) =>
    served(appOf([proxyTo(target)]), async ({ url }) => {
      await expect(ask(`${url}/legacy/x`)).rejects.toThrow();
    }),
  );
});

test.each(['before', 'during'])(
  'cancels the request to the target when the client goes away %s the answer',
  async (when) => {
    let closed = (): void => {};
    const targetSawEnd = new Promise<void>((resolve) => (closed = resolve));
    let begun = (): void => {};
    const targetSawBegin = new Promise<void>((resolve) => (begun = resolve));
    const endless: http.RequestListener = (_request, response) => {
      response.on('close', closed);
      // No body yet, because the client must learn the status without waiting for a body.
      if (when === 'during') response.flushHeaders();
      begun();
    };
    await upstream(endless, (target) =>
      served(appOf([proxyTo(target, 600_000)]), async ({ url }) => {
        const request = http.get(`${url}/legacy/x`, { agent: false });
        const answered = new Promise((resolve) => request.on('response', resolve));
        request.on('error', () => {});
        await (when === 'during' ? answered : targetSawBegin);
        request.destroy();
        await targetSawEnd;
      }),
    );
  },
);

test('replaces a kept connection that the target closed, without an error', async () => {
  const connections: net.Socket[] = [];
  // Answers one request per connection and resets the connection at the second request.
  const fickle = net.createServer((socket) => {
    connections.push(socket);
    let requests = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      requests += 1;
      if (requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      else socket.resetAndDestroy();
    });
  });
  await new Promise<void>((resolve) => fickle.listen(0, '127.0.0.1', resolve));
  const { port } = fickle.address() as net.AddressInfo;
  await served(appOf([proxyTo(`http://127.0.0.1:${port}`)]), async ({ url }) => {
    expect((await ask(`${url}/legacy/1`)).status).toBe(200);
    expect((await ask(`${url}/legacy/2`)).status).toBe(200);
  });
  expect(connections).toHaveLength(2);
  for (const socket of connections) socket.destroy();
  await new Promise((resolve) => fickle.close(resolve));
});

/** A target that answers each connection with these bytes after the first chunk, then runs `next`. */
async function rawTarget(
  answer: string,
  next: (socket: net.Socket) => void,
  run: (target: string) => Promise<void>,
): Promise<void> {
  const sockets = new Set<net.Socket>();
  const target = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer, () => next(socket)));
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  try {
    await run(`http://127.0.0.1:${(target.address() as net.AddressInfo).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    target.close();
  }
}

test('answers 502 at once when the target switches protocols without being asked', async () => {
  const answer = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n';
  await rawTarget(
    answer,
    () => undefined,
    (target) =>
      served(appOf([proxyTo(target, 60_000)]), async ({ url }) => {
        const refused = await ask(`${url}/legacy/x`);
        expect(problemOf(refused)).toMatchObject({ status: 502, code: 'BW_PROXY_UPSTREAM' });
        expect(problemOf(refused).detail).toMatch(/switched protocols \(101\)/);
      }),
  );
});

test('interim answers do not extend the time for the target’s answer', async () => {
  const early = (socket: net.Socket): void => {
    const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 20);
    socket.on('close', () => clearInterval(timer));
  };
  await rawTarget('HTTP/1.1 102 Processing\r\n\r\n', early, (target) =>
    served(appOf([proxyTo(target, 150)]), async ({ url }) => {
      expect(problemOf(await ask(`${url}/legacy/x`))).toMatchObject({
        status: 504,
        code: 'BW_PROXY_TIMEOUT',
      });
    }),
  );
});

test.each(['streamed', 'read by a plugin'])(
  'passes on the answer of a target that refuses an upload early (a body that is %s)',
  async (how) => {
    const refusing: http.RequestListener = (request, response) => {
      response.writeHead(413, { 'content-length': 3, connection: 'close' });
      response.end('big');
      setTimeout(() => request.socket.destroy(), 20);
    };
    const plugins = how === 'streamed' ? [] : [tracer('t')];
    await upstream(refusing, (target) =>
      served(appOf([proxyTo(target)], plugins, TEN_MIB), async ({ url }) => {
        const body = Buffer.alloc(8 * 1024 * 1024, 'x');
        for (let round = 0; round < 5; round += 1) {
          const headers = { 'content-type': 'application/octet-stream' };
          const answer = await ask(`${url}/legacy/x`, { method: 'POST', headers }, body);
          expect([answer.status, answer.body.toString()]).toEqual([413, 'big']);
        }
      }),
    );
  },
);

test.each([
  'text/event-stream',
  'application/x-ndjson; charset=utf-8',
  'multipart/x-mixed-replace; boundary=b',
  'application/grpc+proto',
])('streams an endless %s through a hook, with the headers the hook sets', async (type) => {
  const events: http.RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': type });
    let count = 0;
    const timer = setInterval(() => response.write(`data: ${count++}\n\n`), 20);
    response.on('close', () => clearInterval(timer));
  };
  await upstream(events, (target) =>
    served(appOf([proxyTo(target)], [tracer('t')]), async ({ url }) => {
      const abort = new AbortController();
      const answer = await fetch(`${url}/legacy/x`, { signal: abort.signal });
      expect(answer.headers.get('x-trail')).toBe('t');
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
      let text = '';
      while (!text.includes('data: 2')) text += Buffer.from((await reader.read()).value!).toString();
      expect(text).toMatch(/^data: 0\n\ndata: 1\n\ndata: 2/);
      abort.abort();
    }),
  );
});

test.each(['of known length', 'in chunks'])(
  'streams a download beyond the limit past a hook (%s)',
  async (how) => {
    const bytes = randomBytes(BODY_LIMIT * 4);
    const large: http.RequestListener = (_request, response) => {
      if (how === 'of known length') response.setHeader('content-length', bytes.length);
      response.write(bytes.subarray(0, 1000));
      response.end(bytes.subarray(1000));
    };
    const seen: unknown[] = [];
    const reader = scriptPlugin('reader', {
      afterResponse: async (json) => {
        const { body, body_streamed: streamed } = JSON.parse(json.toString()) as Record<string, unknown>;
        seen.push([body, streamed]);
        return { headers: { 'x-seen': 'yes' } };
      },
    });
    await upstream(large, (target) =>
      served(appOf([proxyTo(target)], [reader]), async ({ url }) => {
        const answer = await ask(`${url}/legacy/x`);
        expect(answer.headers['x-seen']).toBe('yes');
        expect(hash(answer.body)).toBe(hash(bytes));
      }),
    );
    expect(seen).toEqual([[null, true]]);
  },
);

test('closes the connection to the target when a hook replaces a streamed body', async () => {
  let closed = false;
  const endless: http.RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => response.write('data: x\n\n'), 20);
    response.on('close', () => {
      clearInterval(timer);
      closed = true;
    });
  };
  const replacing = scriptPlugin('replacing', {
    afterResponse: async () => ({
      body: 'instead',
      body_encoding: 'text',
      headers: { 'content-type': 'text/plain' },
    }),
  });
  await upstream(endless, (target) =>
    served(appOf([proxyTo(target)], [replacing]), async ({ url }) => {
      const answer = await ask(`${url}/legacy/x`);
      expect(answer.body.toString()).toBe('instead');
      await eventually(() => closed, 'the end of the connection to the target');
    }),
  );
});
