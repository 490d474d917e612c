import { expect, test } from '@jest/globals';
import { connectable, httpUrl } from '../../dist/cli/command/address.js';
import { tryLine } from '../../dist/cli/serve/announcement.js';
import type { EndpointConfig, HttpMethod } from '../../dist/config/types.js';

const endpoint = (path: string, methods: HttpMethod[] = []): EndpointConfig => ({
  name: path,
  path,
  methods,
  bodyLimitBytes: null,
  target: { kind: 'any-plugin' },
  hooks: [],
});

test.each<[EndpointConfig[], string | null]>([
  [[], null],
  [[endpoint('/weather/{city}'), endpoint('/files/*')], null],
  [[endpoint('/orders', ['POST'])], null],
  [
    [endpoint('/orders', ['POST']), endpoint('/hello', ['GET', 'POST'])],
    'try: curl http://127.0.0.1:80/hello',
  ],
  [[endpoint('/any'), endpoint('/hello')], 'try: curl http://127.0.0.1:80/any'],
  [[endpoint("/it's&more")], "try: curl 'http://127.0.0.1:80/it'\\''s&more'"],
])('the suggested request for %j is %j', (endpoints, line) => {
  expect(tryLine({ endpoints }, 'http://0.0.0.0:80')).toBe(line);
});

test('the URL for a server on all interfaces uses the loopback address', () => {
  expect(connectable('http://0.0.0.0:8080')).toBe('http://127.0.0.1:8080');
  expect(connectable(httpUrl('::', 8081))).toBe('http://[::1]:8081');
  expect(connectable('http://10.0.0.0:8080')).toBe('http://10.0.0.0:8080');
});
