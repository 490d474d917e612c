import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { ERRORS } from '../dist/errors.js';
import { filesUnder } from './source-imports.js';

/** Checks the statements of the documentation that a program can verify. */
const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const documents = ['.', 'docs', 'examples', 'native-sdk']
  .flatMap((folder) => (folder === '.' ? topLevelDocuments() : filesUnder(folder, /\.md$/)))
  .filter((file) => !/(^|\/)(node_modules|target|plugins)\//.test(file));

function topLevelDocuments(): string[] {
  return ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
}

const fenced = (text: string): string[] =>
  [...text.matchAll(/^```(?:sh|console)\n(.*?)^```$/gms)].map(([, body = '']) => body);

describe('docs/errors.md', () => {
  const sections = read('docs/errors.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => ({ code: section.split('\n')[0] ?? '', text: section }));

  test('lists the codes of src/errors.ts, in their order, and no others', () => {
    expect(sections.map(({ code }) => code)).toEqual(Object.keys(ERRORS));
  });

  test.each(Object.entries(ERRORS))(
    '%s has its summary, status, exit code, reason and remedy',
    (code, { summary, status, exit }) => {
      const text = sections.find((section) => section.code === code)?.text ?? '';
      expect(text).toContain(`${summary} HTTP ${status}, exit code ${exit}.`);
      expect(text).toMatch(/^\*\*Why:\*\* \S/m);
      expect(text).toMatch(/^\*\*What to do:\*\* \S/m);
    },
  );
});

describe('commands', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

  test.each(documents)('%s names only existing npm scripts', (file) => {
    const named = [...read(file).matchAll(/\bnpm run ([\w:-]+)|\bnpm (start|test)\b/g)].map(
      ([, run, short]) => run ?? short,
    );
    expect(named.filter((name) => name !== undefined && !(name in scripts))).toEqual([]);
  });

  const help = execFileSync(process.execPath, [join(root, 'dist/cli/main.js'), '--help'], {
    encoding: 'utf8',
  });

  test.each(documents)('%s names only existing commands of the program', (file) => {
    // Only commands in code blocks or between backticks count.
    const text = read(file);
    const code = [...fenced(text), ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, inline = '']) => inline)];
    const named = code
      .flatMap((piece) => [...piece.matchAll(/(?<=^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:npx )?)backworks (.*)$/gm)])
      .flatMap(([, words = '']) => /^(?:(?:plugin|config) )?[a-z]+/.exec(words)?.[0] ?? []);
    expect(named.filter((name) => !help.includes(`\n  ${name} `))).toEqual([]);
  });

  test('every figure in README.md is also in docs/performance.md', () => {
    const figures = [...read('README.md').matchAll(/\*\*([\d.,]+)\*\*/g)].map(([figure]) => figure);
    expect(figures.length).toBeGreaterThan(5);
    const measured = read('docs/performance.md');
    expect(figures.filter((figure) => !measured.includes(figure))).toEqual([]);
  });

  test('README.md shows the two commands', () => {
    const commands = fenced(read('README.md')).flatMap((block) =>
      block.split('\n').map((line) => line.replace(/^\$ /, '').trim()),
    );
    expect(commands).toEqual(expect.arrayContaining(['npm start', 'npm test']));
  });

  test('continuous integration runs the test command of README.md', () => {
    expect(read('.ci/run')).toMatch(/^\s*npm test\b/m);
  });

  test('every script of package.json runs a file that exists', () => {
    const files = Object.values(scripts).flatMap((script) =>
      [...script.matchAll(/\bnode (\w[\w./-]*\.m?js)/g)].map(([, file = '']) => file),
    );
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(read(file)).not.toBe('');
  });
});

test.each(documents)('%s links only to existing files', (file) => {
  const links = [...read(file).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map(
    ([, target = '']) => target,
  );
  for (const link of links) expect(() => readAnything(join(file, '..', link))).not.toThrow();
});

const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));

// The test run writes docs/hostile-matrix.md.
test.each(pages.filter((page) => page !== 'hostile-matrix.md'))('docs/%s says what to read next', (page) => {
  expect(read(`docs/${page}`)).toMatch(/\nNext: [^#]*\]\([^)]+\)[^#]*\n$/);
});

test.each(pages.filter((page) => page !== 'README.md'))('docs/README.md lists docs/%s', (page) => {
  expect(read('docs/README.md')).toContain(`](${page})`);
});

function readAnything(path: string): void {
  try {
    read(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
  }
}
