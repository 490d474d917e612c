import { expect, test } from '@jest/globals';
import { parseConfig } from '../../dist/index.js';
import { offersUnmatched } from '../../dist/pipeline/unmatched.js';

const ENDPOINTS = `
endpoints:
  a: { path: /a, methods: [GET], plugin: named }
  b: { path: /b, response: { body: static } }
  c: { path: /c }
plugins: { named: { path: n.so }, other: { path: o.so } }
`;

test.each([
  ['', { named: false, other: true }],
  ['server: { unmatched: plugins-without-endpoint }', { named: false, other: true }],
  ['server: { unmatched: plugins }', { named: true, other: true }],
  ['server: { unmatched: not-found }', { named: false, other: false }],
])('with %j, requests that no endpoint matches are offered to %j', (server, expected) => {
  const offers = offersUnmatched(parseConfig(server + ENDPOINTS, { directory: '/', env: {} }).config);
  expect({ named: offers('named'), other: offers('other') }).toEqual(expected);
});
