import { describe, expect, test } from '@jest/globals';
import { editPlugin, type PluginEdit } from '../../../dist/config/edit/edit.js';
import { parseConfig } from '../../../dist/config/load/load.js';

const FILE = `# The head.
server: { port: 80,   body_limit: 1MiB } # in a line

plugins:
  # What it is for.
  weather: # behind the name
    path: ./weather.so
    config: { key: "\${KEY:-a}", list: [a, b] } # secret

    # Why it is off.
    enabled: false # for now
  other: { path: ./other.so } # short

# The end.
`;

const edit = (name: string, change: PluginEdit, text = FILE): string => editPlugin(text, name, change);

describe('an edit leaves every other byte unchanged', () => {
  test('when it enables a plugin', () => {
    expect(edit('weather', { kind: 'enable' })).toBe(FILE.replace('enabled: false', 'enabled: true'));
  });

  test('when it disables a plugin, in the YAML style of the entry', () => {
    expect(edit('other', { kind: 'disable', path: null })).toBe(
      FILE.replace('./other.so }', './other.so, enabled: false }'),
    );
    const on = FILE.replace('enabled: false', 'enabled: true');
    expect(edit('weather', { kind: 'disable', path: null }, on)).toBe(FILE);
    const silent = FILE.replace('    enabled: false # for now\n', '');
    expect(edit('weather', { kind: 'disable', path: null }, silent)).toBe(
      silent.replace('# secret\n', '# secret\n    enabled: false\n'),
    );
  });

  test('when it adds an entry at the end of the block', () => {
    expect(edit('new', { kind: 'add', path: './new.so' })).toBe(
      FILE.replace('# short\n', '# short\n  new:\n    path: ./new.so\n'),
    );
    expect(edit('found', { kind: 'disable', path: './a b: c.so' })).toBe(
      FILE.replace('# short\n', '# short\n  found:\n    path: "./a b: c.so"\n    enabled: false\n'),
    );
  });

  test('when it removes an entry', () => {
    expect(edit('other', { kind: 'remove' })).toBe(FILE.replace(/ {2}other.*\n/, ''));
    const text = edit('weather', { kind: 'remove' });
    expect(text).toBe(FILE.replace(/ {2}weather[^]*for now\n/, ''));
    expect(edit('other', { kind: 'remove' }, text)).toContain('plugins:\n');
  });

  test('when the file needs no change', () => {
    expect(edit('weather', { kind: 'disable', path: null })).toBe(FILE);
    expect(edit('other', { kind: 'enable' })).toBe(FILE);
    expect(edit('nobody', { kind: 'remove' })).toBe(FILE);
    expect(edit('other', { kind: 'add', path: './x.so' })).toBe(FILE);
  });

  test.each([
    ['{ plugins: { a: { path: /a } } }', '{ plugins: { a: { path: /a }, b: { path: /b } } }'],
    ['plugins: {}', 'plugins: { b: { path: /b } }'],
    ['plugins: {a: {path: /a}}', 'plugins: {a: {path: /a}, b: { path: /b }}'],
    ['name: x', 'name: x\nplugins:\n  b:\n    path: /b'],
    ['name: x\r\n', null],
  ])('in %j', (text, expected) => {
    const added = edit('b', { kind: 'add', path: '/b' }, text);
    if (expected !== null) expect(added).toBe(expected);
    expect(parseConfig(added, { directory: '/' }).config.plugins.at(-1)).toMatchObject({ name: 'b' });
    expect(parseConfig(edit('b', { kind: 'remove' }, added), { directory: '/' }).config.plugins).toEqual(
      parseConfig(text, { directory: '/' }).config.plugins.map(() => expect.anything()),
    );
  });

  test.each([
    ['an empty file', ''],
    ['a file of comments', '# nothing yet\n'],
  ])('an entry is added to %s', (_case, text) => {
    const { config } = parseConfig(edit('new', { kind: 'add', path: '/new.so' }, text), { directory: '/' });
    expect(config.plugins).toMatchObject([{ name: 'new', path: '/new.so' }]);
  });
});

test.each([
  ['plugins: [a]', 'plugins is not written as a mapping'],
  ['x: &a { path: /a }\nplugins: { p: *a }', 'plugins.p is not written as a mapping'],
  ['plugins: {', 'cannot be edited automatically'],
  ['plugins:', 'plugins is empty'],
])('%j is not edited', (text, reason) => {
  expect(() => edit('p', { kind: 'disable', path: null }, text)).toThrow(reason);
});
