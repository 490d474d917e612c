/** The examples of docs/testing.md, each run by the test runner that it is written for. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import ts from 'typescript';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { codeBlocksOf, sectionOf } from '../fixtures/markdown.js';

ownCache();
const root = fileURLToPath(new URL('../..', import.meta.url));
const guide = readFileSync(join(root, 'docs/testing.md'), 'utf8');

/** A package with `backworks` installed, and the weather plugin. */
const project = mkdtempSync(join(tmpdir(), 'backworks-guide-'));
mkdirSync(join(project, 'node_modules/@jest'), { recursive: true });
for (const [name, path] of [
  ['backworks', '.'],
  ['@jest/globals', 'node_modules/@jest/globals'],
] as const)
  symlinkSync(join(root, path), join(project, 'node_modules', name));
symlinkSync(join(root, 'examples/weather/plugins'), join(project, 'plugins'));
writeFileSync(join(project, 'package.json'), '{ "type": "module", "jest": { "transform": {} } }');
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** The code below a heading. */
const example = (heading: string): string => codeBlocksOf(sectionOf(guide, heading))[0]?.text ?? '';

/** Runs a program without the variables by which test runners recognize each other. */
function run(args: readonly string[]): string {
  const environment = { ...process.env };
  for (const name of ['NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'JEST_WORKER_ID']) delete environment[name];
  return execFileSync(process.execPath, args, {
    cwd: project,
    encoding: 'utf8',
    env: environment,
    stdio: 'pipe',
  });
}

test('the example for node:test passes', () => {
  writeFileSync(join(project, 'weather.node.mjs'), example('With node:test'));
  expect(run(['--test-reporter=tap', '--test', 'weather.node.mjs'])).toMatch(/^# pass [78]\n# fail 0$/m);
});

test('the example with HTTP requests passes', () => {
  symlinkSync(compilePlugin('rates'), join(project, 'librates.so'));
  writeFileSync(join(project, 'rates.mjs'), example('HTTP requests of the plugin'));
  expect(run(['--test-reporter=tap', '--test', 'rates.mjs'])).toMatch(/^# pass [12]\n# fail 0$/m);
});

test('the example for jest passes', () => {
  writeFileSync(join(project, 'weather.test.js'), example('With jest'));
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const out = run([
    '--experimental-vm-modules',
    jest,
    '--ci',
    '--json',
    '--rootDir',
    project,
    'weather.test.js',
  ]);
  expect(JSON.parse(out)).toMatchObject({ success: true, numPassedTests: 1 });
});

test('the example for TypeScript has correct types and passes', () => {
  const file = join(project, 'weather.ts');
  writeFileSync(file, example('With TypeScript'));
  const options: ts.CompilerOptions = {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const program = ts.createProgram([file], options);
  const problems = ts.getPreEmitDiagnostics(program);
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  program.emit();
  expect(run(['--test-reporter=tap', '--test', 'weather.js'])).toMatch(/^# fail 0$/m);
});
