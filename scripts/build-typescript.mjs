import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { compileSchema } from './compile-schema.mjs';
import { root, runConcurrently, say } from './run.mjs';

const PROJECTS = {
  src: { sources: 'src', output: 'dist', project: 'tsconfig.json' },
  test: { sources: 'test', output: 'dist-test', project: 'tsconfig.test.json' },
};

/**
 * Compiles src/ with the configuration schema and, for tests, test/. The compiler itself tracks what changed.
 * @throws SetupError with the compiler's output
 */
export async function buildTypeScript({ tests }) {
  const projects = tests ? [PROJECTS.src, PROJECTS.test] : [PROJECTS.src];
  const fresh = projects.some(({ output }) => !existsSync(join(root, output)));
  if (fresh) say('compiling TypeScript');
  for (const { sources, output } of projects) removeOrphans(join(root, output), join(root, sources));

  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const names = projects.map(({ project }) => project);
  // After `rm -rf dist`, the compiler's build information still says that everything is built.
  const args = [compiler, '-b', ...(fresh ? ['--force'] : []), ...names];
  await runConcurrently('the TypeScript compiler', process.execPath, args);
  await compileSchema();

  // npx and npm execute the file itself.
  const command = join(root, 'dist/cli/main.js');
  if (existsSync(command)) chmodSync(command, 0o755);
}

/** Removes the old output of renamed files: old tests would still run, and old modules would be published. */
function removeOrphans(output, sources) {
  if (!existsSync(output)) return;
  for (const name of readdirSync(output, { recursive: true })) {
    const path = join(output, name);
    const source = /^(.*?)(\.d\.ts|\.js\.map|\.js)$/.exec(relative(output, path))?.[1];
    if (source === undefined || !statSync(path).isFile()) continue;
    // A declaration without a module describes output that a script writes.
    const sourceFiles = [`${source}.ts`, `${source}.d.ts`].map((file) => join(sources, file));
    if (!sourceFiles.some((file) => existsSync(file))) rmSync(path);
  }
}
