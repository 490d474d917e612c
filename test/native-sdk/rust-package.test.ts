/** Both crates can be packed, and a plugin builds from the packed files alone. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { startServer } from '../fixtures/server.js';
import { root, run, sources, target } from './language.js';

const CRATES = ['backworks-plugin-sdk-derive', 'backworks-plugin-sdk'] as const;
// Outside of the checkout, so that nothing of it can be found by accident.
const folder = mkdtempSync(join(tmpdir(), 'backworks-crates-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Packs the crates and unpacks them in the folder. @returns the folder of a crate */
function packed(): (crate: string) => string {
  const rust = join(root, 'native-sdk/rust');
  const built = join(target, 'rust-package');
  mkdirSync(built, { recursive: true });
  const args = ['package', '--workspace', '--no-verify', '--allow-dirty', '--quiet'];
  run('cargo', args, rust, { CARGO_TARGET_DIR: built });
  const [, version = ''] = /^version = "(.*)"$/m.exec(readFileSync(join(rust, 'Cargo.toml'), 'utf8')) ?? [];
  for (const crate of CRATES) run('tar', ['-xzf', join(built, `package/${crate}-${version}.crate`)], folder);
  return (crate) => join(folder, `${crate}-${version}`);
}

test('a plugin builds from the packed crates, and serves', async () => {
  const crate = packed();
  const plugin = join(folder, 'plugin');
  cpSync(join(sources, 'rust-weather'), plugin, { recursive: true });
  const manifest = join(plugin, 'Cargo.toml');
  const path = /path = "[^"]*native-sdk\/rust\/backworks-plugin-sdk"/;
  const text = readFileSync(manifest, 'utf8');
  expect(text).toMatch(path);
  // A packed crate names the other by its version, which is not published: this is where cargo finds it.
  const patch = `[patch.crates-io]\nbackworks-plugin-sdk-derive = { path = "${crate(CRATES[0])}" }\n`;
  const dependent = text.replace(path, `path = "${crate(CRATES[1])}"`);
  // A name of its own, because another test builds the same plugin in the same folder.
  writeFileSync(manifest, `${dependent.replace('my-custom-plugin', 'packed-plugin')}\n${patch}`);
  // The dependencies are those of the other plugins, so they are compiled once.
  const built = join(target, 'rust');
  run('cargo', ['build', '--release', '--quiet'], plugin, { CARGO_TARGET_DIR: built });
  const server = await startServer(`
endpoints: { weather: { path: /weather, plugin: weather } }
plugins: { weather: { path: ${join(built, 'release/libpacked_plugin.so')}, critical: true, timeouts: { call: 5s } } }
`);
  expect(await server.get('/weather')).toMatchObject({
    status: 200,
    body: { temperature: 25, humidity: 60 },
  });
}, 600_000);
