import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackworksError } from '../errors.js';

/** Where to look; every part defaults to this process. */
export interface RunnerSearch {
  readonly env?: NodeJS.ProcessEnv;
  /** Root folder of this package. */
  readonly packageRoot?: string;
  readonly platform?: NodeJS.Platform;
  readonly arch?: string;
}

const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Finds the runner program: BACKWORKS_RUNNER, else the prebuilt package of this platform, else what
 * `npm run build` made in a checkout.
 * @returns its absolute path
 * @throws BackworksError BW_RUNNER_NOT_FOUND listing every place tried
 */
export function findRunner(search: RunnerSearch = {}): string {
  const { env = process.env, packageRoot = PACKAGE_ROOT } = search;
  const { platform = process.platform, arch = process.arch } = search;
  const program = platform === 'win32' ? 'backworks-runner.exe' : 'backworks-runner';

  const override = env['BACKWORKS_RUNNER'];
  if (override !== undefined && override !== '') {
    if (isProgram(override)) return override;
    // A wrong override is a mistake to report, not one to paper over with another runner.
    throw notFound([`${override} (from BACKWORKS_RUNNER)`], 'correct or unset BACKWORKS_RUNNER');
  }
  const packageName = `@backworks/runner-${platform}-${arch}`;
  const prebuilt = resolveFrom(packageRoot, `${packageName}/${program}`);
  const built = join(packageRoot, 'build', 'Release', program);
  for (const path of [prebuilt, built]) {
    if (path !== null && isProgram(path)) return path;
  }
  const tried = [prebuilt ?? `package ${packageName} (not installed)`, built];
  throw notFound(tried, 'in a checkout run npm run build; else reinstall with optional dependencies');
}

function notFound(tried: readonly string[], hint: string): BackworksError {
  const message = `the runner program is missing; looked at ${tried.join(', then ')}`;
  return new BackworksError('BW_RUNNER_NOT_FOUND', message, { hint });
}

function resolveFrom(packageRoot: string, specifier: string): string | null {
  try {
    return createRequire(join(packageRoot, 'package.json')).resolve(specifier);
  } catch {
    return null;
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
