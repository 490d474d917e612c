/**
 * Makes the packages that a release publishes, as build/packages/*.tgz: `backworks`, and the runner for each platform.
 * They contain nothing that compiles or downloads when they are installed.
 *
 *   node scripts/release/pack.mjs [NAME…]   with the runners of all platforms, or of those that are named
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { root, run, say, SetupError } from '../run.mjs';
import { PLATFORMS } from './platforms.mjs';

const output = join(root, 'build/packages');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { version, license, repository, homepage, bugs, engines } = manifest;

/** Writes a package's files and packs them. npm gives all files the same time, so equal files make equal archives. */
function pack(packageJson, files) {
  const directory = join(output, packageJson.name);
  for (const [path, source] of Object.entries(files)) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof source === 'string') writeFileSync(target, source);
    else copyFileSync(source.file, target);
  }
  for (const path of Object.values(packageJson.bin ?? {})) chmodSync(join(directory, path), 0o755);
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(packageJson, null, 2)}\n`);
  const args = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', output];
  const name = run('npm pack', 'npm', args, { cwd: directory }).trim();
  rmSync(directory, { recursive: true });
  say(`build/packages/${name}`);
}

function packPlatform({ name, os, cpu, libc }) {
  const directory = join(root, 'build/platforms', name);
  const files = existsSync(directory)
    ? readdirSync(directory).filter((file) => file.startsWith('backworks-'))
    : [];
  if (files.length !== 2) {
    throw new SetupError(
      `build/platforms/${name} is not complete: node scripts/release/build-runners.mjs builds it`,
    );
  }
  const packageJson = {
    name: runnerPackage(name),
    version,
    description: `The plugin runner of Backworks for ${name}. The package backworks installs it.`,
    license,
    repository,
    homepage,
    bugs,
    engines,
    type: 'module',
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc] }),
    // Yarn's plug'n'play must leave the program in a file.
    preferUnplugged: true,
    files,
  };
  pack(packageJson, {
    ...Object.fromEntries(files.map((file) => [file, { file: join(directory, file) }])),
    'README.md': `# ${runnerPackage(name)}\n\n${packageJson.description}\n`,
    LICENSE: { file: join(root, 'LICENSE') },
  });
}

const runnerPackage = (name) => `@backworks/runner-${name}`;

/** Source maps would lead to sources that are not in the package. */
const isShipped = (path) => !path.endsWith('.map');

function packBackworks() {
  const dist = readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
  const folders = manifest.files.filter((path) => path !== 'dist');
  const tracked = [
    'ls-files',
    '--cached',
    '--others',
    '--exclude-standard',
    '-z',
    '--',
    ...folders,
    'LICENSE',
  ];
  const paths = [...dist, ...run('git', 'git', tracked).split('\0')];
  const files = {};
  for (const path of paths) {
    if (path !== '' && isShipped(path)) files[path] = shipped(path);
  }
  pack(packageManifest(), files);
}

function shipped(path) {
  const file = join(root, path);
  if (!path.startsWith('dist/') || !path.endsWith('.js')) return { file };
  return readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, '');
}

const CHECKOUT_ONLY = ['scripts', 'devDependencies', 'gypfile'];

/**
 * The manifest of the checkout without what only a checkout needs, and with the platform packages. The checkout's own
 * manifest does not have them: npm could not install what is not published yet.
 */
function packageManifest() {
  const shown = Object.entries(manifest).filter(([key]) => !CHECKOUT_ONLY.includes(key));
  const runners = PLATFORMS.map(({ name }) => [runnerPackage(name), version]);
  return { ...Object.fromEntries(shown), optionalDependencies: Object.fromEntries(runners) };
}

try {
  const names = process.argv.slice(2);
  const platforms = PLATFORMS.filter(({ name }) => names.length === 0 || names.includes(name));
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  for (const platform of platforms) packPlatform(platform);
  packBackworks();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = 1;
}
