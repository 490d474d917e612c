/**
 * Runs jest on the compiled tests with the given options.
 *
 *   node scripts/jest.mjs dist-test/config
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './run.mjs';

/** The compiled tests are ES modules, whose support in jest is still experimental. */
const NODE_OPTIONS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];

const jest = [...NODE_OPTIONS, join(root, 'node_modules/jest/bin/jest.js'), ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, jest, { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
