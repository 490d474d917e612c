import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeBlocksOf } from '../fixtures/markdown.js';
import { root } from './language.js';

const target = join(root, 'build/guides');

/** The code blocks of a page in one language, in their order. */
export function codeOf(page: string, language: string): string[] {
  return codeBlocksOf(readFileSync(join(root, page), 'utf8'))
    .filter((block) => block.language === language)
    .map(({ text }) => text);
}

/**
 * A directory outside the sources that has the SDK where `npm install backworks` puts it.
 * @param files by name, what the author saved
 */
export function authorsDirectory(files: Readonly<Record<string, string>>): string {
  mkdirSync(target, { recursive: true });
  const directory = mkdtempSync(join(target, 'author-'));
  const modules = join(directory, 'node_modules/backworks');
  mkdirSync(modules, { recursive: true });
  execFileSync('cp', ['-R', join(root, 'native-sdk'), modules]);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

/** Runs lines of a shell as the guides print them. @throws Error with what they wrote to stderr */
export function shell(lines: string, directory: string): void {
  const { status, stderr, stdout } = spawnSync('sh', ['-euc', lines], { cwd: directory, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${lines}: ${stderr}${stdout}`);
}

export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}
