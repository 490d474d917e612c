/**
 * Prepares a checkout for `npm start` and `npm test`: checks the machine, installs packages, and compiles
 * TypeScript, C and Rust. Does only what is missing: a second run without changes takes about half a second.
 *
 *   node scripts/setup.mjs start   what the weather example needs; Rust only if cargo is installed
 *   node scripts/setup.mjs build   the same
 *   node scripts/setup.mjs test    everything, tests included; Rust is required
 *   node scripts/setup.mjs check   as test, with every C warning an error
 */
import { buildNative } from './build-native.mjs';
import { buildRust } from './build-rust.mjs';
import { buildTypeScript } from './build-typescript.mjs';
import { installPackages } from './packages.mjs';
import { checkPrerequisites } from './prerequisites.mjs';
import { SetupError } from './run.mjs';

const STAGES = {
  start: { tests: false, rust: false, strict: false },
  build: { tests: false, rust: false, strict: false },
  test: { tests: true, rust: true, strict: false },
  check: { tests: true, rust: true, strict: true },
};

async function setup({ tests, rust, strict }) {
  checkPrerequisites({ tests, rust });
  installPackages();
  const builds = [buildNative({ strict }), buildTypeScript({ tests }), buildRust({ required: rust })];
  // All are awaited before the first error is reported: no compiler goes on after the script has ended.
  const failure = (await Promise.allSettled(builds)).find(({ status }) => status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

const stage = process.argv[2] ?? 'start';
try {
  if (!Object.hasOwn(STAGES, stage)) {
    throw new SetupError(`no stage "${stage}", only ${Object.keys(STAGES).join(', ')}`);
  }
  await setup(STAGES[stage]);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = 1;
}
