import type { Case } from './case.js';

/** Files that are not well-formed. */
export const SYNTAX: readonly Case[] = [
  [
    'a list that does not end',
    'plugins: [a, b',
    '1:15: flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  [
    'a key twice',
    `name: a
server: {}
name: b`,
    '3:1: name: the key is already on line 1',
  ],
  ['an alias without anchor', 'server: *base', '1:9: server: the alias *base has no anchor &base before it'],
  [
    'an alias of itself',
    `plugins: &p
  a: *p`,
    '2:6: plugins.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a…: nested more than 64 deep',
  ],
  [
    'a tag of another YAML version',
    'name: !!timestamp 2020-01-01',
    '1:7: unresolved tag: tag:yaml.org,2002:timestamp',
  ],
  [
    'two documents',
    `name: a
---
name: b`,
    '2:1: the file contains more than one document',
  ],
  [
    'a number that JSON cannot express',
    'plugins: { a: { path: x, config: { rate: .inf } } }',
    '1:42: plugins.a.config.rate: expected a finite number, found .inf',
  ],
  [
    'a mapping as key',
    `plugins:
  ? { a: b }
  : 1`,
    '2:5: a key must be a word, not an alias, a list or a mapping',
  ],
  [
    'a variable without quotes in a flow mapping',
    'server: { port: ${PORT} }',
    '1:18: unexpected flow-map-start at node end — inside { } and [ ] a variable needs quotes',
  ],
  [
    'a tab as indentation',
    `server:
	port: 80`,
    '2:1: tabs are not allowed as indentation — use spaces',
  ],
];
