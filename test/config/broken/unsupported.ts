import type { Case } from './case.js';

/** Files that are not supported by this version yet. */
export const UNSUPPORTED: readonly Case[] = [
  [
    'environments',
    'environments: { production: {} }',
    '1:1: environments: this key is not supported by this version yet — remove it',
  ],
  [
    'marketplace',
    'marketplace: {}',
    '1:1: marketplace: this key is not supported by this version yet — remove it',
  ],
  ['state', 'state: {}', '1:1: state: this key is not supported by this version yet — remove it'],
  [
    'workers',
    'server: { workers: 4 }',
    '1:11: server.workers: 4 is not supported by this version yet — remove it or set it to 1',
  ],
  [
    'sandbox',
    'plugins: { a: { path: x, sandbox: strict } }',
    '1:26: plugins.a.sandbox: "strict" is not supported by this version yet — remove it or set it to "off"',
  ],
  [
    'load',
    'plugins: { a: { path: x, load: lazy } }',
    '1:26: plugins.a.load: "lazy" is not supported by this version yet — remove it or set it to "eager"',
  ],
  [
    'permissions',
    'plugins: { a: { path: x, permissions: {} } }',
    '1:26: plugins.a.permissions: this key is not supported by this version yet — remove it',
  ],
  [
    'memory',
    'plugins: { a: { path: x, limits: { memory: 256MiB } } }',
    '1:36: plugins.a.limits.memory: this key is not supported by this version yet — remove it',
  ],
  [
    'open files',
    'plugins: { a: { path: x, limits: { open_files: 64 } } }',
    '1:36: plugins.a.limits.open_files: this key is not supported by this version yet — remove it',
  ],
  [
    'file size',
    'plugins: { a: { path: x, limits: { file_size: 64MiB } } }',
    '1:36: plugins.a.limits.file_size: this key is not supported by this version yet — remove it',
  ],
];
