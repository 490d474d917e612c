/** The public API of the package: the emitted declarations of its entrances and their examples. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import ts from 'typescript';
import { ownCache } from './fixtures/cache.js';

ownCache();
const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist/');
/** `backworks` and `backworks/testing`. */
const entrances = [join(dist, 'index.d.ts'), join(dist, 'testing/index.d.ts')];
const COMPILER_OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
};

/** A project with `backworks` installed, a configuration and the weather plugin. */
const project = mkdtempSync(join(tmpdir(), 'backworks-project-'));
mkdirSync(join(project, 'node_modules'));
symlinkSync(root, join(project, 'node_modules/backworks'));
symlinkSync(join(root, 'examples/weather/plugins'), join(project, 'plugins'));
writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
writeFileSync(
  join(project, 'backworks.yaml'),
  `plugins: { weather: { path: ./plugins/libweather_plugin.so } }
environments: { production: { server: { port: 80 } } }
`,
);
afterAll(() => rmSync(project, { recursive: true, force: true }));

const program = ts.createProgram(entrances, COMPILER_OPTIONS);
const checker = program.getTypeChecker();
const unaliased = (symbol: ts.Symbol): ts.Symbol =>
  (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);

const exported = entrances
  .map((entrance) => checker.getSymbolAtLocation(program.getSourceFile(entrance) as ts.SourceFile))
  .flatMap((module) => checker.getExportsOfModule(module as ts.Symbol))
  .map((symbol) => ({ name: symbol.name, symbol: unaliased(symbol) }));
const values = exported.filter(({ symbol }) => (symbol.flags & ts.SymbolFlags.Value) !== 0);

/** The entity that a node names as a type, if any. */
function namedBy(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isExpressionWithTypeArguments(node)) return node.expression;
  if (ts.isTypeQueryNode(node)) return node.exprName;
  return ts.isImportTypeNode(node) ? node.qualifier : undefined;
}

const isPrivate = (node: ts.Node): boolean =>
  ts.canHaveModifiers(node) &&
  ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) === true;

/** Types of this package that a declaration mentions. */
function mentionedBy(symbol: ts.Symbol): ts.Symbol[] {
  const found: ts.Symbol[] = [];
  const visit = (node: ts.Node): void => {
    if (isPrivate(node)) return;
    const name = namedBy(node);
    const named = name === undefined ? undefined : checker.getSymbolAtLocation(name);
    if (named !== undefined) found.push(unaliased(named));
    ts.forEachChild(node, visit);
  };
  symbol.declarations?.forEach(visit);
  return found.filter(
    ({ flags, declarations }) =>
      (flags & ts.SymbolFlags.TypeParameter) === 0 &&
      declarations?.some((declaration) => declaration.getSourceFile().fileName.startsWith(dist)),
  );
}

test('every type that a public declaration mentions, directly or indirectly, is exported', () => {
  const public_ = new Set(exported.map(({ symbol }) => symbol));
  const reached = new Map(exported.map(({ name, symbol }) => [symbol, name]));
  const missing: string[] = [];
  for (const [symbol, way] of reached) {
    for (const next of mentionedBy(symbol)) {
      if (reached.has(next)) continue;
      reached.set(next, `${way} → ${next.name}`);
      if (!public_.has(next)) missing.push(`${way} → ${next.name}`);
    }
  }
  expect(missing).toEqual([]);
  expect(reached.size).toBeGreaterThan(50);
});

test.each(exported)('$name has a docstring', ({ symbol }) => {
  expect(ts.displayPartsToString(symbol.getDocumentationComment(checker))).toMatch(/\S/);
});

/** The code of a symbol's `@example`. */
function exampleOf(symbol: ts.Symbol): string {
  const [tag] = symbol.getJsDocTags(checker).filter(({ name }) => name === 'example');
  return /^```ts\n([^]*?)\n```$/.exec(ts.displayPartsToString(tag?.text))?.[1] ?? '';
}

test('functions, classes and constants are exported', () => {
  expect(values.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['createBackworks', 'loadConfig', 'parseConfig', 'validatePlugin', 'ConfigError']),
  );
});

test.each(values)('the example of $name prints what its comments say', ({ name, symbol }) => {
  const code = exampleOf(symbol);
  expect(code).toContain(name);
  const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, output]) => output);
  expect(promised).not.toEqual([]);
  const script = ts.transpile(code, { ...COMPILER_OPTIONS, module: ts.ModuleKind.ESNext });
  writeFileSync(join(project, `${name}.mjs`), script);
  const printed = execFileSync(process.execPath, [`${name}.mjs`], { cwd: project, encoding: 'utf8' });
  expect(printed.trimEnd().split('\n')).toEqual(promised);
});

test('the examples pass the type checker', () => {
  const files = values.map(({ name, symbol }) => {
    writeFileSync(join(project, `${name}.ts`), exampleOf(symbol));
    return join(project, `${name}.ts`);
  });
  const examples = ts.createProgram(files, COMPILER_OPTIONS, undefined, program);
  const messages = files
    .flatMap((file) => ts.getPreEmitDiagnostics(examples, examples.getSourceFile(file)))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  expect(messages).toEqual([]);
});
