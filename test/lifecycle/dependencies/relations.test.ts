import { expect, test } from '@jest/globals';
import { compilePlugin } from '../../fixtures/compile.js';
import { startServer } from '../../fixtures/server.js';

const entry = (name: string, fixture: string, more: string): string =>
  `  ${name}: { path: ${compilePlugin(fixture)}, ${more} }\n`;
const yaml = (more = ''): string =>
  'plugins:\n' +
  entry('user', 'needs_plugin', 'priority: 1') +
  entry('modest', 'needs_optional', 'priority: 50') +
  entry('newer', 'needs_version', 'priority: 2') +
  entry('off', 'needs_capability', 'enabled: false') +
  entry('client', 'needs_capability', '') +
  entry('base', 'needed', 'priority: 900') +
  more;
const need = { kind: 'plugin', version: '*', optional: false };

test('the document of a plugin has its order, its dependencies and its dependents', async () => {
  const server = await startServer(yaml(), { admin: 'token: t' });
  const document = async (name: string): Promise<Record<string, unknown>> => {
    const headers = { authorization: 'Bearer t' };
    const response = await fetch(`${server.adminUrl}/plugins/${name}`, { headers });
    return (await response.json()) as Record<string, unknown>;
  };
  expect(await document('modest')).toMatchObject({
    order: 1,
    needs: [{ ...need, name: 'luxury', optional: true, provided_by: null }],
    needed_by: [],
  });
  expect(await document('base')).toMatchObject({
    order: 2,
    needs: [],
    needed_by: [
      { name: 'user', optional: false },
      { name: 'client', optional: false },
    ],
  });
  expect(await document('user')).toMatchObject({
    order: 3,
    needs: [{ ...need, name: 'base', version: '^1.2', provided_by: 'base' }],
  });
  expect(await document('client')).toMatchObject({
    order: 4,
    needs: [{ ...need, kind: 'capability', name: 'storage.kv', provided_by: 'base' }],
  });
  expect(await document('newer')).toMatchObject({
    state: 'failed',
    order: null,
    needs: [{ ...need, name: 'base', version: '>=2', provided_by: null }],
  });
  // The manifest of a disabled plugin is not read.
  expect(await document('off')).toMatchObject({
    state: 'stopped',
    order: null,
    needs: [],
  });
});

test('a reload updates the relations between plugins', async () => {
  const server = await startServer(yaml());
  expect(server.plugin('modest').needs).toMatchObject([{ name: 'luxury', provider: null }]);
  await server.change(yaml(entry('luxury', 'needed', 'priority: 60')));
  expect(server.plugin('modest')).toMatchObject({ order: 2, needs: [{ provider: 'luxury' }] });
  expect(server.plugin('luxury')).toMatchObject({ order: 1, neededBy: [{ name: 'modest', optional: true }] });
});
