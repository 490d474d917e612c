import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { filesUnder, type Module, readModule, root } from './source-imports.js';

/** The rules of ARCHITECTURE.md that a machine can check. */
const modules = filesUnder('src', /\.ts$/).map((file) => readModule(file));

/** Part of the house → the parts below it. Nothing imports upward or sideways. */
const FOUNDATION = ['deferred', 'errors', 'log', 'long-text', 'semaphore'];
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  deferred: [],
  errors: [],
  log: [],
  'long-text': [],
  semaphore: [],
  config: FOUNDATION,
  execution: FOUNDATION,
  native: FOUNDATION,
  plugins: ['execution', 'native', 'config', ...FOUNDATION],
  alerts: ['plugins', 'config', ...FOUNDATION],
  builtin: ['plugins', 'config', ...FOUNDATION],
  pipeline: ['plugins', 'config', ...FOUNDATION],
  reload: ['plugins', 'config', ...FOUNDATION],
  server: ['reload', 'pipeline', 'plugins', 'execution', 'config', ...FOUNDATION],
  profiling: ['server', 'pipeline', 'plugins', 'native', 'config', ...FOUNDATION],
  traffic: ['server', 'reload', 'pipeline', 'plugins', 'execution', 'native', 'config', ...FOUNDATION],
  backworks: [
    'traffic',
    'profiling',
    'server',
    'reload',
    'alerts',
    'pipeline',
    'builtin',
    'plugins',
    'execution',
    'native',
    'config',
    ...FOUNDATION,
  ],
  cluster: ['backworks', 'traffic', 'reload', 'plugins', 'execution', 'native', 'config', ...FOUNDATION],
  index: ['backworks', 'server', 'reload', 'pipeline', 'plugins', 'config', ...FOUNDATION],
  testing: ['backworks', 'pipeline', 'plugins', 'config', ...FOUNDATION],
  cli: [
    'cluster',
    'backworks',
    'profiling',
    'server',
    'reload',
    'pipeline',
    'plugins',
    'execution',
    'native',
    'config',
    ...FOUNDATION,
  ],
};

/** Types that describe data, not behaviour; every part may name them. */
const SHARED_TYPES = ['src/config/types.ts'];

/** Package → the only part that knows it. */
const OWNERS: Readonly<Record<string, string>> = {
  hono: 'server',
  '@hono/node-server': 'server',
  koffi: 'native',
  'node:child_process': 'native',
  'node:cluster': 'cluster',
  cockatiel: 'execution',
  yaml: 'config',
  ajv: 'config',
  'ajv-formats': 'config',
  commander: 'cli',
  diff: 'cli',
  pino: 'cli',
  // The members of `process` are ruled below; an import would hide them.
  'node:process': 'nobody',
};

/** Member of `process` → where it may be used. */
const PROCESS: Readonly<Record<string, readonly string[]>> = {
  exit: ['src/cli/'],
  exitCode: ['src/cli/'],
  argv: ['src/cli/'],
  stdin: ['src/cli/'],
  stdout: ['src/cli/'],
  stderr: ['src/cli/'],
  env: ['src/cli/', 'src/config/', 'src/native/binaries.ts', 'src/native/cache-directory.ts'],
  // Taking `process` apart, or a computed member: could be any of the above.
  '*': [],
};

const LINES_MAX = 300;
/** Nobody reads or edits these from top to bottom: what they are made from is what is kept short. */
const GENERATED = ['src/config/raw.ts'];
const C_FUNCTION_LINES_MAX = 70;
const EMPTY_NAMES = /^(utils?|helpers?|commons?|misc|managers?)$/i;

const partOf = (file: string): string => (file.split('/')[1] ?? '').replace(/\.ts$/, '');

const packageOf = (specifier: string): string =>
  specifier.startsWith('node:')
    ? specifier
    : specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');

const edgesOf = (module: Module): string[] =>
  module.imports.flatMap(({ file }) => (file === null ? [] : [file]));

/** What is loaded when the module is; types are gone by then. */
const loadedBy = (module: Module): string[] =>
  edgesOf({ ...module, imports: module.imports.filter(({ typeOnly }) => !typeOnly) });

test('the reader sees every form of import and of process', () => {
  const text = `
    import a from './a.js'; import type { B } from './b.js'; import { type C, c } from './c.js';
    import { type D } from './d.js'; import 'side-effect'; export * from '../e.js'; export type { F } from './f.js';
    type G = import('./g.js').G; const h = await import('node:child_process');
    process.exit(1); process['env']; globalThis.process.argv; const { stdout } = process;`;
  const { imports, processMembers } = readModule('src/x/y.ts', text);
  expect(imports.map(({ specifier, file, typeOnly }) => [file ?? specifier, typeOnly])).toEqual([
    ['src/x/a.ts', false],
    ['src/x/b.ts', true],
    ['src/x/c.ts', false],
    ['src/x/d.ts', true],
    ['side-effect', false],
    ['src/e.ts', false],
    ['src/x/f.ts', true],
    ['src/x/g.ts', true],
    ['node:child_process', false],
  ]);
  expect(processMembers).toEqual(['exit', 'env', 'argv', '*']);
});

test('imports lead to files that exist', () => {
  const files = new Set(modules.map(({ file }) => file));
  const broken = modules.flatMap((module) => edgesOf(module).filter((file) => !files.has(file)));
  expect(files.size).toBeGreaterThan(0);
  expect(broken).toEqual([]);
});

test('imports run one way', () => {
  const wrong = modules.flatMap(({ file, imports }) =>
    imports
      .filter((entry) => entry.file !== null && partOf(entry.file) !== partOf(file))
      .filter((entry) => !(entry.typeOnly && SHARED_TYPES.includes(entry.file ?? '')))
      .filter((entry) => !LAYERS[partOf(file)]?.includes(partOf(entry.file ?? '')))
      .map((entry) => `${file} imports ${entry.specifier}`),
  );
  expect(wrong).toEqual([]);
});

test('there are no cycles', () => {
  const graph = new Map(modules.map((module) => [module.file, loadedBy(module)]));
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (path.includes(file) || finished.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    finished.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  expect(cycles).toEqual([]);
});

test('each package is known to one part', () => {
  const wrong = modules.flatMap(({ file, imports }) =>
    imports
      .filter((entry) => entry.file === null)
      .map(({ specifier }) => ({ specifier, owner: OWNERS[packageOf(specifier)] }))
      .filter(({ owner }) => owner !== undefined && owner !== partOf(file))
      .map(({ specifier, owner }) => `${file} imports ${specifier}, which belongs to ${owner}`),
  );
  expect(wrong).toEqual([]);
});

test('every package is named in package.json', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    object | undefined
  >;
  const named = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  const used = modules.flatMap(({ imports }) => imports.filter((entry) => entry.file === null));
  const unnamed = used
    .map(({ specifier }) => packageOf(specifier))
    .filter((name) => !name.startsWith('node:'));
  expect([...new Set(unnamed)].filter((name) => !named.includes(name))).toEqual([]);
});

test('arguments, output, exit and environment have one place each', () => {
  const wrong = modules.flatMap(({ file, processMembers }) =>
    processMembers
      .filter((member) => PROCESS[member]?.every((place) => !file.startsWith(place)))
      .map((member) => `${file} uses process.${member}`),
  );
  expect(wrong).toEqual([]);
});

test('native-sdk includes nothing from src', () => {
  const files = filesUnder('native-sdk', /\.(h|hpp|c|cpp|rs|go|zig|ts|mjs)$/);
  const wrong = files.filter((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .some((line) => /^\s*(#\s*include|import|use|mod|@import)\b.*(\.\.\/)+src\//.test(line)),
  );
  expect(files.length).toBeGreaterThan(0);
  expect(wrong).toEqual([]);
});

test('files are short', () => {
  const lines = (file: string): number => readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length;
  const written = filesUnder('src', /\.(ts|c|h)$/).filter((file) => !GENERATED.includes(file));
  const long = written.map((file) => `${file}: ${lines(file)}`);
  expect(long.filter((entry) => Number(entry.split(': ')[1]) > LINES_MAX)).toEqual([]);
});

test('C functions are short', () => {
  const sources = [...filesUnder('src/runner', /\.c$/), ...filesUnder('examples', /\.c$/)];
  const long = sources.flatMap((file) => {
    const lines = readFileSync(join(root, file), 'utf8').split('\n');
    // A function's body opens at the end of an unindented line, or alone, and closes in column 0.
    return lines.flatMap((line, start) => {
      if (!/^[a-z][^=]*\{$|^\{$/.test(line)) return [];
      const length = lines.slice(start).findIndex((later) => later.startsWith('}')) + 1;
      return length > C_FUNCTION_LINES_MAX ? [`${file}:${start + 1}: ${length} lines`] : [];
    });
  });
  expect(sources.length).toBeGreaterThan(0);
  expect(long).toEqual([]);
});

test('names say something', () => {
  const empty = filesUnder('src', /./).filter((file) =>
    file.split(/[/\-_.]/).some((word) => EMPTY_NAMES.test(word)),
  );
  expect(empty).toEqual([]);
});

test('both sides of the runner protocol open with the same text', () => {
  const opening = (file: string): string | undefined =>
    /^\/\*.*?\*\//s.exec(readFileSync(join(root, file), 'utf8'))?.[0];
  expect(opening('src/native/protocol.ts')).toContain('The runner protocol');
  expect(opening('src/native/protocol.ts')).toBe(opening('src/runner/protocol.h'));
});
