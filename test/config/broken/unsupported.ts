import type { Case } from './case.js';

/** Files that use keys which this version does not support yet. */
export const UNSUPPORTED: readonly Case[] = [
  [
    'marketplace',
    'marketplace: {}',
    '1:1: marketplace: this key is not supported by this version yet — remove it',
  ],
  ['state', 'state: {}', '1:1: state: this key is not supported by this version yet — remove it'],
  [
    'HTTP by the server on behalf of a plugin',
    'plugins: { a: { path: x, permissions: { http: ["https://api.example.com"] } } }',
    '1:41: plugins.a.permissions.http: this key is not supported by this version yet — remove it',
  ],
];
