import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { filesUnder, longFunctions, type Module, readModule, root } from './source-imports.js';

/** Checks the rules of ARCHITECTURE.md that a machine can check. */
const modules = filesUnder('src', /\.ts$/).map((file) => readModule(file));

/**
 * The folders of src/ and the files beside them, top layer first. A folder imports only from layers below its
 * own, types included; folders of one layer do not know each other.
 */
const LAYERS: readonly (readonly string[])[] = [
  ['cli'],
  ['cli/author'],
  ['cli/config', 'cli/operate', 'cli/serve'],
  ['cli/command'],
  ['cli/terminal'],
  ['index', 'cluster', 'testing'],
  ['backworks'],
  ['traffic'],
  ['admin'],
  ['reload'],
  ['lifecycle/registry'],
  ['lifecycle/lazy'],
  ['lifecycle/supervision'],
  ['authoring', 'validation'],
  ['authoring/build', 'authoring/reference'],
  ['lifecycle/swap', 'lifecycle', 'profiling'],
  ['lifecycle/records', 'http', 'alerts'],
  ['access-log', 'rules'],
  ['lifecycle/entry', 'pipeline'],
  ['proxy', 'pipeline/files'],
  ['lifecycle/dependencies', 'pipeline/documents', 'pipeline/content'],
  ['plugins'],
  ['native/pool', 'native/in-process', 'config/load', 'services', 'tracing'],
  ['config/contradictions'],
  ['config/request-schema'],
  ['native/runner', 'native/description', 'config/plugin-schema', 'config/show'],
  ['native/process', 'config/schema', 'config/migrations', 'execution', 'templates'],
  ['native/process/limits', 'native/protocol', 'native/library', 'config/source', 'config/edit'],
  ['native', 'metrics', 'log-budget', 'tls'],
  ['native/library/facts', 'mutex'],
  [
    'cache-place',
    'call-ticket',
    'deferred',
    'errors',
    'log',
    'long-text',
    'path-places',
    'semaphore',
    'config',
  ],
  ['printable'],
];

/** Parts that must not import each other in any direction. They share only the types in src/config/types.ts. */
const STRANGERS: readonly string[] = ['execution', 'native', 'config'];

/** Package → the only part that may import it. */
const OWNERS: Readonly<Record<string, string | readonly string[]>> = {
  hono: ['http', 'admin'],
  '@hono/node-server': 'http',
  koffi: 'native',
  'node:child_process': ['native', 'authoring'],
  'node:cluster': 'cluster',
  cockatiel: 'execution',
  ioredis: 'rules',
  'prom-client': 'metrics',
  mrmime: 'pipeline',
  '@opentelemetry/api': 'tracing',
  semver: 'plugins',
  yaml: 'config',
  ajv: 'config',
  re2js: 'config',
  'ajv-formats': 'config',
  commander: 'cli',
  diff: 'cli',
  pino: 'cli',
  // PROCESS_MEMBERS below restricts the members of `process`; an import would bypass these rules.
  'node:process': 'nobody',
};

/** Member of `process` → where it may be used. */
const PROCESS_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  exit: ['src/cli/'],
  exitCode: ['src/cli/'],
  argv: ['src/cli/'],
  stdin: ['src/cli/'],
  stdout: ['src/cli/'],
  stderr: ['src/cli/'],
  env: ['src/cli/', 'src/config/', 'src/native/binaries.ts', 'src/cache-place.ts'],
  // Destructuring `process` or a computed member could access any of the above.
  '*': [],
};

/** Folders of test/ that do not mirror a folder of src/. Their subfolders follow no rule. */
const OTHER_TESTS: readonly string[] = [
  // Data and code that several test files share.
  'fixtures',
  'config/broken',
  'config/migrations/commented',
  // Separate programs with their own npm scripts.
  'fuzz',
  'hostile',
  'soak',
  'supervision',
  'swap',
  // Tests of several folders of src/ together, through public interfaces.
  'e2e',
  // Folders of the repository beside src/.
  'bench',
  'examples',
  'native-sdk',
  // Tests against programs of others.
  'peers',
  // What npm installs.
  'package',
];

const LINES_MAX = 400;
/** Generated files, which have no length limit. */
const GENERATED = ['src/config/schema/raw.ts'];
const FUNCTION_LINES_MAX = 60;
const C_FUNCTION_LINES_MAX = 70;
const EMPTY_NAMES = /^(utils?|helpers?|commons?|misc|managers?)$/i;

/** The folder of a file in src/; for a file directly in src/, the file's name. */
const partPathOf = (file: string): string => {
  const path = file.replace(/^src\//, '').replace(/\.ts$/, '');
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : path;
};

/** The part a file belongs to: its top-level folder in src/. */
const partOf = (file: string): string => partPathOf(file).split('/')[0] ?? '';

const packageOf = (specifier: string): string =>
  specifier.startsWith('node:')
    ? specifier
    : specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');

const edgesOf = (module: Module): string[] =>
  module.imports.flatMap(({ file }) => (file === null ? [] : [file]));

/** Groups of nodes that reach each other (strongly connected components), with sorted members. */
function circles(graph: ReadonlyMap<string, Iterable<string>>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): number => {
    const mine = index.size;
    index.set(node, mine);
    low.set(node, mine);
    open.push(node);
    for (const next of graph.get(node) ?? []) {
      const reached = index.has(next)
        ? open.includes(next)
          ? (index.get(next) as number)
          : mine
        : visit(next);
      low.set(node, Math.min(low.get(node) as number, reached));
    }
    if (low.get(node) === mine) {
      const members = open.splice(open.indexOf(node));
      if (members.length > 1) found.push(members.sort());
    }
    return low.get(node) as number;
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
}

/** Maps imports between files to imports between the names that `nameOf` gives them. */
function graphOf(nameOf: (file: string) => string): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const module of modules) {
    const from = nameOf(module.file);
    const known = graph.get(from) ?? new Set();
    for (const file of edgesOf(module)) if (nameOf(file) !== from) known.add(nameOf(file));
    graph.set(from, known);
  }
  return graph;
}

test('the reader finds every form of import and of access to process', () => {
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

test('every import refers to an existing file', () => {
  // A declaration stands for a module that a script writes into dist/.
  const files = new Set(modules.map(({ file }) => file.replace(/\.d\.ts$/, '.ts')));
  const broken = modules.flatMap((module) => edgesOf(module).filter((file) => !files.has(file)));
  expect(files.size).toBeGreaterThan(0);
  expect(broken).toEqual([]);
});

test('every folder of src has a layer', () => {
  const parts = [...new Set(modules.map(({ file }) => partPathOf(file)))];
  expect(parts.sort()).toEqual(LAYERS.flat().sort());
});

test('files import only from lower layers, types included', () => {
  const layer = new Map(LAYERS.flatMap((parts, depth) => parts.map((part) => [part, depth])));
  const depthOf = (file: string): number => layer.get(partPathOf(file)) ?? -1;
  const wrong = modules.flatMap(({ file, imports }) =>
    imports
      .filter((entry) => entry.file !== null && partPathOf(entry.file) !== partPathOf(file))
      .filter((entry) => depthOf(entry.file ?? '') <= depthOf(file))
      .map((entry) => `${file} imports ${entry.specifier}`),
  );
  expect(wrong).toEqual([]);
});

test('execution, native and config do not import each other', () => {
  const wrong = modules
    .filter(({ file }) => STRANGERS.includes(partOf(file)))
    .flatMap(({ file, imports }) =>
      imports
        .filter((entry) => entry.file !== null && entry.file !== 'src/config/types.ts')
        .filter((entry) => partOf(entry.file ?? '') !== partOf(file))
        .filter((entry) => STRANGERS.includes(partOf(entry.file ?? '')))
        .map((entry) => `${file} imports ${entry.specifier}`),
    );
  expect(wrong).toEqual([]);
});

test('imports between files and between folders form no circle, types included', () => {
  expect(
    circles(
      new Map([
        ['a', ['b']],
        ['b', ['c', 'd']],
        ['c', ['a']],
        ['d', []],
      ]),
    ),
  ).toEqual([['a', 'b', 'c']]);
  expect(circles(graphOf((file) => file))).toEqual([]);
  expect(circles(graphOf(partPathOf))).toEqual([]);
});

test('each package is imported only by its owner', () => {
  const wrong = modules.flatMap(({ file, imports }) =>
    imports
      .filter((entry) => entry.file === null)
      .map(({ specifier }) => ({ specifier, owner: OWNERS[packageOf(specifier)] }))
      .filter(({ owner }) => owner !== undefined && ![owner].flat().includes(partOf(file)))
      .map(
        ({ specifier, owner }) =>
          `${file} imports ${specifier}, which belongs to ${[owner].flat().join(' and ')}`,
      ),
  );
  expect(wrong).toEqual([]);
});

test('every imported package is listed in package.json', () => {
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

test('arguments, output, exit and environment are each used in one place only', () => {
  const wrong = modules.flatMap(({ file, processMembers }) =>
    processMembers
      .filter((member) => PROCESS_MEMBERS[member]?.every((place) => !file.startsWith(place)))
      .map((member) => `${file} uses process.${member}`),
  );
  expect(wrong).toEqual([]);
});

test('native-sdk does not include files from src', () => {
  const files = filesUnder('native-sdk', /\.(h|hpp|c|cpp|rs|go|zig|ts|mjs)$/);
  const wrong = files.filter((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .some((line) => /^\s*(#\s*include|import|use|mod|@import)\b.*(\.\.\/)+src\//.test(line)),
  );
  expect(files.length).toBeGreaterThan(0);
  expect(wrong).toEqual([]);
});

test('files are no longer than the limit', () => {
  const lines = (file: string): number => readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length;
  const written = filesUnder('src', /\.(ts|c|h)$/).filter((file) => !GENERATED.includes(file));
  const long = written.map((file) => `${file}: ${lines(file)}`);
  expect(long.filter((entry) => Number(entry.split(': ')[1]) > LINES_MAX)).toEqual([]);
});

test('functions are no longer than the limit', () => {
  const text = `const f = () => {\n  return 1;\n};\nclass C {\n  constructor() {\n  }\n  m() { return 1; }\n}`;
  expect(longFunctions('x.ts', 1, text)).toEqual([
    'x.ts:1: anonymous, 3 lines',
    'x.ts:5: constructor, 2 lines',
  ]);
  expect(modules.flatMap(({ file }) => longFunctions(file, FUNCTION_LINES_MAX))).toEqual([]);
});

test('C functions are no longer than the limit', () => {
  const sources = [...filesUnder('src/runner', /\.c$/), ...filesUnder('examples', /\.c$/)];
  const long = sources.flatMap((file) => {
    const lines = readFileSync(join(root, file), 'utf8').split('\n');
    // A function body opens at the end of an unindented line or on its own line, and closes in column 0.
    return lines.flatMap((line, start) => {
      if (!/^[a-z][^=]*\{$|^\{$/.test(line)) return [];
      const length = lines.slice(start).findIndex((later) => later.startsWith('}')) + 1;
      return length > C_FUNCTION_LINES_MAX ? [`${file}:${start + 1}: ${length} lines`] : [];
    });
  });
  expect(sources.length).toBeGreaterThan(0);
  expect(long).toEqual([]);
});

test('every folder of test mirrors a folder of src or is a listed exception', () => {
  const folders = new Set(
    filesUnder('test', /./).map((file) => partPathOf(file.replace(/^test\//, 'src/x/'))),
  );
  const mirrored = new Set(
    filesUnder('src', /./).map((file) => partPathOf(file.replace(/^src\//, 'src/x/'))),
  );
  const isOther = (folder: string): boolean =>
    OTHER_TESTS.some((other) => `${folder}/`.startsWith(`x/${other}/`));
  const stray = [...folders].filter((folder) => !isOther(folder) && !mirrored.has(folder));
  expect(stray).toEqual([]);
  expect(
    OTHER_TESTS.filter((other) => ![...folders].some((folder) => `${folder}/`.startsWith(`x/${other}/`))),
  ).toEqual([]);
});

test('no file has a meaningless name', () => {
  const empty = filesUnder('src', /./).filter((file) =>
    file.split(/[/\-_.]/).some((word) => EMPTY_NAMES.test(word)),
  );
  expect(empty).toEqual([]);
});

/** Paths among the code spans of a text; a name without a folder lies beside the path before it. */
function pathsOf(text: string): string[] {
  const spans = [...text.matchAll(/`([\w./-]+)`/g)].map(([, span = '']) => span);
  return spans.reduce<string[]>(
    (paths, span) => [...paths, span.includes('/') ? span : join(dirname(paths.at(-1) ?? ''), span)],
    [],
  );
}

test('ARCHITECTURE.md says where to change at least twenty things, in files that exist', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const section = text.split(/^## To change something, open$/m)[1]?.split(/^## /m)[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  const places = rows.slice(1).map((row) => ({ row, paths: pathsOf(row.split('|')[2] ?? '') }));
  expect(places.length).toBeGreaterThanOrEqual(20);
  expect(places.filter(({ paths }) => paths.length === 0)).toEqual([]);
  const named = [
    ...places.flatMap(({ paths }) => paths),
    ...pathsOf(text).filter((path) => /\/.*\.ts$/.test(path)),
  ];
  const missing = named.filter((path) => ![path, `src/${path}`].some((file) => existsSync(join(root, file))));
  expect(missing).toEqual([]);
});

test('the TypeScript and C files of the runner protocol begin with the same comment', () => {
  const opening = (file: string): string | undefined =>
    /^\/\*.*?\*\//s.exec(readFileSync(join(root, file), 'utf8'))?.[0];
  expect(opening('src/native/protocol/protocol.ts')).toContain('The runner protocol');
  expect(opening('src/native/protocol/protocol.ts')).toBe(opening('src/runner/protocol.h'));
});
