import net from 'node:net';
import { expect, test } from '@jest/globals';
import type { PluginResponse } from '../../dist/plugins/plugin.js';
import { scriptPlugin } from '../pipeline/script-plugin.js';
import { appOf, served } from './served.js';

/** Sends one request and reads the bytes of its response, each as one character. */
function exchange(port: number, connection: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = net.connect(port, '127.0.0.1').on('error', reject);
    const finish = (): void => {
      socket.destroy();
      resolve(received);
    };
    socket.on('close', finish).on('data', (chunk) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n') + 4;
      if (end > 3 && received.length - end === Number(/content-length: (\d+)/.exec(received)![1])) finish();
    });
    socket.write(`GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: one\r\nConnection: ${connection}\r\n\r\n`);
  });
}

/** The response without its date and the headers of the connection. */
function comparable(response: string): string {
  return response.replace(/^(?:Connection|Keep-Alive|Date): .*\r\n/gm, '');
}

const headers = { 'content-type': 'text/plain', 'x-name': 'Zo\xeb', 'set-cookie': ['a=1', 'b=2'] };

test.each<{ what: string; status: number; body: PluginResponse['body'] }>([
  { what: 'ASCII text', status: 200, body: 'plain' },
  { what: 'other text', status: 404, body: 'Zoë, 東京' },
  { what: 'bytes', status: 200, body: Buffer.from([0, 10, 13, 128, 255]) },
  { what: 'a status without a name', status: 599, body: 'x' },
  { what: 'a body beyond one write', status: 200, body: Buffer.alloc(40_000, 'é') },
  { what: 'an empty body', status: 200, body: '' },
])(
  '$what: a keep-alive response has the bytes that Node writes on a connection that closes',
  async ({ status, body }) => {
    const plugin = scriptPlugin('answers', {
      processEndpoint: () => ({ status, headers: { ...headers }, body }),
    });
    await served(appOf([], [plugin]), async ({ port }) => {
      const open = await exchange(port, 'keep-alive');
      const closed = await exchange(port, 'close');
      expect(comparable(open)).toBe(comparable(closed));
      expect(open).toMatch(/^Connection: keep-alive\r\nKeep-Alive: timeout=65\r\n\r\n/m);
      expect(Date.parse(/^Date: (.*)\r$/m.exec(open)![1]!)).toBeGreaterThan(Date.now() - 2000);
    });
  },
);

test('a response with a date header, such as from a proxy target, gets no second date', async () => {
  const date = 'Mon, 01 Jan 2024 00:00:00 GMT';
  const plugin = scriptPlugin('dated', {
    processEndpoint: () => ({ status: 200, headers: { date }, body: 'x' }),
  });
  await served(appOf([], [plugin]), async ({ port }) => {
    expect((await exchange(port, 'keep-alive')).match(/^date: .*$/gim)).toEqual([`date: ${date}`]);
  });
});
