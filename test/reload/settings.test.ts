import { expect, test } from '@jest/globals';
import { parseConfig } from '../../dist/config/load/load.js';
import type { BackworksConfig } from '../../dist/config/types.js';
import { effectiveConfig, planSettings } from '../../dist/reload/settings.js';

const configOf = (yaml: string): BackworksConfig =>
  parseConfig(yaml || '{}', { directory: '/', env: {} }).config;
const plan = (a: string, b: string): ReturnType<typeof planSettings> =>
  planSettings(configOf(a), configOf(b));

test.each([
  ['server: { body_limit: 2MiB }', 'server.body_limit'],
  ['server: { body_timeout: 1m }', 'server.body_timeout'],
  ['server: { unmatched: plugins }', 'server.unmatched'],
  ['server: { shutdown: { delay: 1s } }', 'server.shutdown.delay'],
  ['server: { reload: { interval: 1s } }', 'server.reload.interval'],
  ['admin: { read_token: abc }', 'admin.read_token'],
  ['admin: { token: abc }', 'admin.token'],
  ['logging: { level: debug }', 'logging.level'],
  ['alerts: { webhook: "https://a.example" }', 'alerts.webhook'],
  ['alerts: { headers: { authorization: secret } }', 'alerts.headers'],
  ['alerts: { retry: { attempts: 2 } }', 'alerts.retry.attempts'],
  ['plugins: { auto_discover: { directories: [/a] } }', 'plugins.auto_discover.directories'],
])('%s takes effect at once', (yaml, key) => {
  const { settings, needsRestart } = plan('', yaml);
  expect(settings).toContain(key);
  expect(needsRestart).toEqual([]);
  expect(effectiveConfig(configOf(''), configOf(yaml))).toEqual(configOf(yaml));
});

test.each([
  ['', 'server: { port: 81 }', 'server.port'],
  ['', 'server: { host: 0.0.0.0 }', 'server.host'],
  ['', 'admin: { enabled: false }', 'admin.enabled'],
  ['', 'admin: { port: 82 }', 'admin.port'],
  ['', 'logging: { format: json }', 'logging.format'],
  // The server generates a token only at start.
  ['admin: { token: abc }', 'admin: {}', 'admin.token'],
])('the change from %j to %j needs a restart', (a, b, key) => {
  expect(plan(a, b)).toMatchObject({ settings: [], needsRestart: [key] });
  expect(effectiveConfig(configOf(a), configOf(b))).toEqual(configOf(a));
  // The next reload reports the key again.
  expect(planSettings(effectiveConfig(configOf(a), configOf(b)), configOf(b)).needsRestart).toEqual([key]);
});

test('keys that need a restart keep their old values, all others get the new ones', () => {
  const next = configOf('server: { port: 81, body_limit: 2MiB }\nlogging: { level: debug, format: json }');
  expect(effectiveConfig(configOf(''), next)).toEqual(
    configOf('server: { body_limit: 2MiB }\nlogging: { level: debug }'),
  );
});

test('a limit of an endpoint changes that endpoint, and a limit of the server changes no endpoint', () => {
  const limited = 'endpoints: { a: { path: /a, body_limit: 2MiB } }';
  expect(plan('endpoints: { a: { path: /a } }', limited).endpoints.changed).toEqual(['a']);
  const both = plan(limited, `server: { body_limit: 2MiB }\n${limited}`);
  expect(both).toMatchObject({ endpoints: { changed: [] }, settings: ['server.body_limit'] });
});

test('endpoints are planned by name: added, removed and changed', () => {
  const a = 'endpoints: { a: { path: /a }, b: { path: /b }, c: { path: /c } }';
  const b = 'endpoints: { d: { path: /d }, c: { path: /c }, b: { path: /b, response: { body: 1 } } }';
  expect(plan(a, b).endpoints).toEqual({ added: ['d'], removed: ['a'], changed: ['b'] });
});
