import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { hasCargo } from './prerequisites.mjs';
import { root, runConcurrently, say, SetupError } from './run.mjs';

const CRATE = 'examples/weather/rust';
const LIBRARY = 'examples/weather/plugins/libweather_rust_plugin.so';
const BUILT = { darwin: 'libweather_rust_plugin.dylib', win32: 'weather_rust_plugin.dll' };

/**
 * Builds the Rust plugin into the example's plugins folder, unless nothing changed.
 * required: false skips the plugin when cargo is missing or too old.
 * @throws SetupError with cargo's output when it is required and fails
 */
export async function buildRust({ required }) {
  const digest = fingerprint([CRATE]);
  const target = join(root, LIBRARY);
  if (existsSync(target) && readStamp('rust') === digest) return;
  if (!required && !hasCargo()) {
    say('no cargo on this machine: the Rust weather plugin is skipped');
    return;
  }
  say('building the Rust plugin (cargo)');
  try {
    const manifest = join(root, CRATE, 'Cargo.toml');
    const args = ['build', '--quiet', '--release', '--locked', '--manifest-path', manifest];
    await runConcurrently('cargo', 'cargo', args, { env: { CARGO_TARGET_DIR: join(root, CRATE, 'target') } });
  } catch (error) {
    if (required || !(error instanceof SetupError)) throw error;
    say(`${error.message}\nsetup: the Rust weather plugin is skipped`);
    return;
  }
  const built = BUILT[process.platform] ?? 'libweather_rust_plugin.so';
  install(join(root, CRATE, 'target/release', built), target);
  writeStamp('rust', digest);
}

/** Renames a finished copy into place, so a server that has the old library open keeps the old file. */
function install(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  const draft = `${to}.${process.pid}`;
  copyFileSync(from, draft);
  renameSync(draft, to);
}
