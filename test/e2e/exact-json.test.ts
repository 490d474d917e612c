import { describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';

/** JSON from plugins, clients and the configuration is passed on as it is written, with the digits that JavaScript loses. */

const NUMBERS = '"id":12345678901234567890,"one":1.0,"big":1e400,"2":-0,"1":0.10';

const yaml = (settings: string, config = '{}'): string => `
endpoints:
  request: { path: /request, plugin: exact }
  respond: { path: /respond, plugin: exact }
  envelope: { path: /envelope, plugin: exact }
  plain: { path: /plain, plugin: exact }
  config: { path: /config, plugin: exact }
  static: { path: /static, response: { body: { old: 1, id: 12345678901234567890, "2": 1.0, "1": [0x10, 1.50] } } }
plugins:
  exact: { path: ${compilePlugin('exact_numbers')}, config: ${config}, timeouts: { call: 10s }, ${settings} }
`;

async function text(server: TestServer, path: string, init?: RequestInit): Promise<string> {
  return (await fetch(server.url + path, init)).text();
}

describe.each([
  ['isolated', 'isolation: process'],
  ['in-process', 'isolation: in-process, trusted: true'],
  ['lazy', 'load: lazy'],
])('a plugin that is %s', (_what, settings) => {
  test('has its JSON passed on as it is written', async () => {
    const server = await startServer(yaml(settings));
    expect(await text(server, '/respond')).toBe(`{${NUMBERS}}`);
    expect(await text(server, '/envelope')).toBe(`{${NUMBERS},"one":2.0}`);
    expect(await text(server, '/plain')).toBe(`{${NUMBERS},"one":2.0,"added":2.50}`);
  });

  test('patches a request without changing any member that the patch does not name', async () => {
    const server = await startServer(yaml(settings));
    const body = '{ "old": 1, "n" : 1.0, "n" : 98765432109876543210, "\\u0061": 1e-400 }';
    const headers = { 'content-type': 'application/json' };
    const seen = await text(server, '/request', { method: 'POST', headers, body });
    expect(seen).toContain(
      '"body":{ "n" : 1.0, "n" : 98765432109876543210, "\\u0061": 1e-400,"added":2.50 }',
    );
    expect(seen).toContain(`"context":{${NUMBERS}}`);
    expect(seen).toContain(`"more":{${NUMBERS}}`);
  });

  test('patches a static body without changing any member that the patch does not name', async () => {
    const server = await startServer(yaml(settings));
    expect(await text(server, '/static')).toBe(
      '{"id":12345678901234567890,"2":1.0,"1":[16,1.50],"added":2.50}',
    );
  });

  test('gets its configuration with the digits and the order of the file', async () => {
    const config =
      '{ id: 12345678901234567890, one: 1.0, "2": [-0, .5, 1e3], "1": { hex: 0xFFFFFFFFFFFFFFFF } }';
    const server = await startServer(yaml(settings, config));
    expect(await text(server, '/config')).toBe(
      '{"id":12345678901234567890,"one":1.0,"2":[-0,0.5,1e3],"1":{"hex":18446744073709551615}}',
    );
  });
});

test('a reload reconfigures a plugin when a number differs only in digits that JavaScript loses', async () => {
  const config = (digits: string): string => yaml('isolation: process', `{ list: [${digits}] }`);
  const server = await startServer(config('12345678901234567890'));
  const { plugins } = await server.change(config('12345678901234567891'));
  expect(plugins).toEqual([
    expect.objectContaining({ name: 'exact', action: 'reconfigure', changed: ['config.list.0'] }),
  ]);
  expect(await text(server, '/config')).toBe('{"list":[12345678901234567891]}');
});
