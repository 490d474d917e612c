import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackworksError } from '../errors.js';
import { THIS_HOST } from './library/facts/index.js';

/** Where to look; every part defaults to this process. */
export interface BinarySearch {
  readonly env?: NodeJS.ProcessEnv;
  /** Root folder of this package. */
  readonly packageRoot?: string;
  readonly platform?: NodeJS.Platform;
  readonly arch?: string;
  /** Whether the C library of a Linux system is musl. */
  readonly musl?: boolean;
}

/** A file that is compiled for each platform and shipped with this package. */
interface Binary {
  readonly what: string;
  /** Environment variable that names another file to use instead. */
  readonly override: string;
  readonly fileName: (platform: NodeJS.Platform) => string;
  /** The access the file must allow: a mode of accessSync(). */
  readonly access: number;
}

const RUNNER: Binary = {
  what: 'runner program',
  override: 'BACKWORKS_RUNNER',
  fileName: (platform) => (platform === 'win32' ? 'backworks-runner.exe' : 'backworks-runner'),
  access: constants.X_OK,
};

const JSON_CHECK: Binary = {
  what: 'library that checks JSON',
  override: 'BACKWORKS_JSON_CHECK',
  fileName: (platform) => `backworks-json-check.${platform === 'win32' ? 'dll' : 'so'}`,
  access: constants.R_OK,
};

const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Finds the program that hosts a plugin: BACKWORKS_RUNNER, else the prebuilt package for this platform,
 * else the program that `npm run build` made in a checkout.
 * @returns its absolute path
 * @throws BackworksError BW_RUNNER_NOT_FOUND listing every place tried, and how to get the program
 */
export function findRunner(search: BinarySearch = {}): string {
  return find(RUNNER, search);
}

/**
 * Finds the library that checks JSON for the server, in the same places; its override is BACKWORKS_JSON_CHECK.
 * @returns its absolute path
 * @throws BackworksError BW_RUNNER_NOT_FOUND listing every place tried
 */
export function findJsonCheck(search: BinarySearch = {}): string {
  return find(JSON_CHECK, search);
}

/**
 * Finds a program of the system.
 * @param name its file name
 * @returns its absolute path; null when no directory of PATH has it
 */
export function findProgram(name: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const directories = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  const paths = directories.map((directory) => join(directory, name));
  return paths.find((path) => isUsable(path, { access: constants.X_OK })) ?? null;
}

function find(binary: Binary, search: BinarySearch): string {
  const { env = process.env, packageRoot = PACKAGE_ROOT, platform = process.platform } = search;
  const fileName = binary.fileName(platform);

  const override = env[binary.override];
  if (override !== undefined && override !== '') {
    if (isUsable(override, binary)) return override;
    // A wrong override is a mistake to report; another file must not hide it.
    const hint = `correct or unset ${binary.override}`;
    throw notFound(binary, [`${override} (from ${binary.override})`], hint);
  }
  const packageName = `@backworks/runner-${platformName(platform, search)}`;
  const prebuilt = resolveFrom(packageRoot, `${packageName}/${fileName}`);
  const built = join(packageRoot, 'build', 'Release', fileName);
  for (const path of [prebuilt, built]) {
    if (path !== null && isUsable(path, binary)) return path;
  }
  const tried = [prebuilt ?? `package ${packageName} (not installed)`, built];
  throw notFound(binary, tried, remedy(binary, packageRoot, packageName));
}

/** The name that a platform has in the names of packages, such as linux-x64-musl. */
function platformName(platform: NodeJS.Platform, search: BinarySearch): string {
  const { arch = process.arch, musl = platform === 'linux' && THIS_HOST.glibcVersion === null } = search;
  return `${platform}-${arch}${musl ? '-musl' : ''}`;
}

/** How to get a missing file, which depends on what the package root is: a checkout, or an installed package. */
function remedy({ override }: Binary, packageRoot: string, packageName: string): string {
  if (existsSync(join(packageRoot, 'binding.gyp'))) return 'run npm run build';
  const { optionalDependencies = {} } = JSON.parse(
    readFileSync(join(packageRoot, 'package.json'), 'utf8'),
  ) as { optionalDependencies?: Record<string, string> };
  const version = optionalDependencies[packageName];
  return version === undefined
    ? `there is no package for this system: build it in a checkout, and name it in ${override}`
    : `npm install ${packageName}@${version}, which npm leaves out with --omit=optional`;
}

function notFound({ what }: Binary, tried: readonly string[], hint: string): BackworksError {
  const message = `the ${what} is missing; looked at ${tried.join(', then ')}`;
  return new BackworksError('BW_RUNNER_NOT_FOUND', message, { hint });
}

function resolveFrom(packageRoot: string, specifier: string): string | null {
  try {
    return createRequire(join(packageRoot, 'package.json')).resolve(specifier);
  } catch {
    return null;
  }
}

function isUsable(path: string, { access }: Pick<Binary, 'access'>): boolean {
  try {
    accessSync(path, access);
    return true;
  } catch {
    return false;
  }
}
