import { expect, test } from '@jest/globals';
import { silentLog } from '../../dist/log.js';
import { AnswerRewrite } from '../../dist/proxy/answer-headers.js';
import { PathMapping } from '../../dist/proxy/path-mapping.js';
import { Upstreams } from '../../dist/proxy/upstreams.js';
import { proxyTarget } from './proxy-config.js';

function targetOf(url: string) {
  const config = proxyTarget(url);
  if (config.kind !== 'proxy') throw new Error('not a proxy');
  return new Upstreams(silentLog).prepare('x', config).group.targets[0]!;
}

test.each([
  ['', '', '/orders/7', '/orders/7'],
  ['/orders', '', '/orders/7', '/7'],
  ['/orders', '', '/orders', '/'],
  ['/orders', '', '/orders/', '/'],
  ['/orders', '/v2', '/orders/a%2Fb', '/v2/a%2Fb'],
  ['', '/v2', '/', '/v2/'],
  // The router compares decoded segments.
  ['/orders', '', '/%6Frders/7', '/7'],
  // A plugin has changed the path.
  ['/orders', '/v2', '/other/7', '/v2/other/7'],
  ['/orders', '', '/ordersX/7', '/ordersX/7'],
  ['/orders', '', '/%ZZ/7', '/%ZZ/7'],
])('strip %j, add %j: %s goes to %s', (strip, add, path, mapped) => {
  expect(new PathMapping(strip, add).toTarget(path)).toBe(mapped);
});

test.each([
  // target, strip, add, sent by the target, received by the client
  ['http://a:1', '', '', '/elsewhere', '/elsewhere'],
  ['http://a:1', '', '', 'http://a:1/x?y=http://a:1/#z', '/x?y=http://a:1/#z'],
  ['http://a:1', '', '', 'HTTP://A:1', '/'],
  ['http://a:1', '', '', 'https://a:1/x', 'https://a:1/x'],
  ['http://a:1', '', '', 'http://other/x', 'http://other/x'],
  ['http://a:1', '', '', '//a:1/x', '//a:1/x'],
  ['http://a:1', '', '', 'relative', 'relative'],
  ['http://a:1/base', '', '', '/base/x', '/x'],
  ['http://a:1/base', '', '', '/base', '/'],
  ['http://a:1/base', '', '', '/basement', '/basement'],
  ['http://a:1', '/api', '', '/login?to=/x', '/api/login?to=/x'],
  ['http://a:1', '/api', '', '/api/login', '/api/login'],
  ['http://a:1/base', '/api', '/v2', 'http://a:1/base/v2/x', '/api/x'],
  ['http://a:1', '', '', 'http://public.example/x', '/x'],
])('%s, strip %j, add %j: Location %s becomes %s', (url, strip, add, sent, received) => {
  const headers = { location: sent, 'content-location': sent };
  const rewrite = new AnswerRewrite(['location'], new PathMapping(strip, add));
  rewrite.apply(headers, targetOf(url), 'public.example');
  expect(headers).toEqual({ location: received, 'content-location': received });
});

test('cookies of the target belong to this server, and cookies of others stay', () => {
  const headers = {
    'set-cookie': [
      'a=1; Domain=.A; Path=/base/v2/x; HttpOnly',
      'b="x; y"; path=/base/v2',
      'c=3; domain=example.com; PATH=/other',
      'd',
    ],
  };
  new AnswerRewrite(['cookies'], new PathMapping('/api', '/v2')).apply(
    headers,
    targetOf('http://a:1/base'),
    'a:1',
  );
  expect(headers['set-cookie']).toEqual([
    'a=1; Path=/api/x; HttpOnly',
    'b="x; y"; path=/api',
    'c=3; domain=example.com; PATH=/other',
    'd',
  ]);
});

test('nothing is rewritten when nothing is listed', () => {
  const headers = { location: 'http://a:1/x', 'set-cookie': ['a=1; domain=a'] };
  new AnswerRewrite([], new PathMapping('/api', '')).apply(headers, targetOf('http://a:1'), 'a:1');
  expect(headers).toEqual({ location: 'http://a:1/x', 'set-cookie': ['a=1; domain=a'] });
});
