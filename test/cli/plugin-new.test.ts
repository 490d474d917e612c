import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { AuthorFolder } from '../fixtures/author.js';
import { backworks, MAIN, scratch, type Finished } from './command.js';

const BUILD_MS = 300_000;
const LANGUAGES = ['c', 'cpp', 'rust', 'go', 'zig'];

const directory = scratch();
const author = new AuthorFolder();
afterAll(() => {
  directory.remove();
  author.remove();
});

const pluginNew = (...args: string[]): Promise<Finished> =>
  backworks(['plugin', 'new', ...args], { cwd: directory.path });

const inside = (): string[] => readdirSync(directory.path).sort();

interface Listed {
  readonly templates: readonly { readonly name: string; readonly languages: readonly string[] }[];
}

test('plugin new --list shows each template with its languages', async () => {
  const { stdout, code } = await pluginNew('--list');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^TEMPLATE +c +cpp +rust +go +zig +WHAT THE PLUGIN DOES$/m);
  expect(stdout).toMatch(/^basic +yes +yes +yes +yes +yes +answers requests/m);
  const { templates } = JSON.parse((await pluginNew('--list', '--json')).stdout) as Listed;
  expect(templates.slice(0, 3)).toMatchObject(
    ['basic', 'auth', 'transform'].map((name) => ({ name, languages: LANGUAGES })),
  );
  for (const { languages } of templates) expect(languages.length).toBeGreaterThan(0);
});

describe('plugin new writes', () => {
  test.each(LANGUAGES)('a project in %s, with the name of the plugin everywhere', async (lang) => {
    const name = `price-check-${lang}`;
    const { code, stdout, stderr } = await pluginNew(name, '--lang', lang, '--json');
    expect([code, stderr]).toEqual([0, '']);
    const written = JSON.parse(stdout) as { files: string[]; next: string[] };
    expect(written).toMatchObject({ name, language: lang, template: 'basic' });
    expect(written.next[0]).toBe(`cd ${name}`);
    const shared = ['README.md', 'backworks.yaml', '.gitignore', '.editorconfig', '.github/workflows/ci.yml'];
    expect(written.files).toEqual(expect.arrayContaining([...shared, 'test/http.test.mjs']));
    for (const file of written.files) {
      const path = join(directory.path, name, file);
      if (statSync(path).isDirectory() || file.startsWith('sdk/')) continue;
      expect(`${file}: ${readFileSync(path, 'utf8')}`).not.toMatch(/my[-_]plugin|MY_[A-Z]/);
    }
    expect(readFileSync(join(directory.path, name, 'backworks.yaml'), 'utf8')).toContain(`plugin: ${name} `);
  });

  test('the files, and then the commands to type, for people', async () => {
    const { stdout } = await pluginNew('listed', '--lang', 'c', '--template', 'auth', '--directory', 'a/b');
    expect(stdout).toMatch(/^✓ listed: lets requests with an API key pass and refuses others, in C$/m);
    expect(stdout).toMatch(/^ {2}a\/b\/src\/listed\.c$/m);
    expect(stdout).toMatch(
      /^next:\n {2}cd a\/b\n {2}make\n {2}make test && node --test test\/http\.test\.mjs\n {2}npx backworks start$/m,
    );
  });

  test('plugin template is the same command', async () => {
    const { code } = await backworks(['plugin', 'template', 'by-template', 'transform', '--lang', 'go'], {
      cwd: directory.path,
    });
    expect(code).toBe(0);
    expect(readFileSync(join(directory.path, 'by-template/plugin.go'), 'utf8')).toContain('AfterResponse');
  });

  test('into an empty folder', async () => {
    mkdirSync(join(directory.path, 'empty'));
    expect((await pluginNew('empty', '--lang', 'c')).code).toBe(0);
  });

  test('with --force into a folder that has files, and keeps files of other names', async () => {
    mkdirSync(join(directory.path, 'kept'));
    writeFileSync(join(directory.path, 'kept/notes.txt'), 'mine');
    writeFileSync(join(directory.path, 'kept/Makefile'), 'old');
    expect((await pluginNew('kept', '--lang', 'c', '--force')).code).toBe(0);
    expect(readFileSync(join(directory.path, 'kept/notes.txt'), 'utf8')).toBe('mine');
    expect(readFileSync(join(directory.path, 'kept/Makefile'), 'utf8')).toContain('libkept.so');
  });
});

describe('plugin new refuses, and writes nothing:', () => {
  test.each<[what: string, args: string[], code: number, message: RegExp]>([
    ['no name', ['--lang', 'c'], 2, /missing required argument 'name' — backworks plugin new/],
    ['no language', ['x'], 2, /--lang is missing — one of c, cpp, rust, go, zig/],
    ['a mistyped language', ['x', '--lang', 'rusty'], 2, /no language "rusty" — did you mean rust\?/],
    [
      'a mistyped template',
      ['x', '--lang', 'c', '--template', 'atuh'],
      2,
      /did you mean auth\? one of basic,/,
    ],
    ['two templates', ['x', 'basic', '--lang', 'c', '--template', 'auth'], 2, /two templates are named/],
    [
      'capitals',
      ['PriceCheck', '--lang', 'c'],
      2,
      /name "PriceCheck" is not lower-case words.* — try price-check/,
    ],
    ['a path as a name', ['../x', '--lang', 'c'], 2, /the plugin name "\.\.\/x" is not lower-case words/],
    ['a keyword of the language', ['match', '--lang', 'rust'], 2, /Rust reserves it — try match-plugin/],
  ])('%s', async (_what, args, code, message) => {
    const before = inside();
    const refused = await pluginNew(...args, '--json');
    const { error } = JSON.parse(refused.stdout) as { error: Record<'code' | 'message' | 'hint', string> };
    expect(`${error.message} — ${error.hint}`).toMatch(message);
    expect([refused.code, error.code]).toEqual([code, 'BW_USAGE']);
    expect(inside()).toEqual(before);
  });

  test('a folder that has files', async () => {
    mkdirSync(join(directory.path, 'taken'));
    writeFileSync(join(directory.path, 'taken/notes.txt'), 'mine');
    const before = inside();
    const { code, stderr } = await pluginNew('taken', '--lang', 'c');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/BW_PROJECT_WRITE: .* not empty: it has notes\.txt — /),
    ]);
    expect([inside(), readdirSync(join(directory.path, 'taken'))]).toEqual([before, ['notes.txt']]);
  });

  test('a file in the place of the folder', async () => {
    writeFileSync(join(directory.path, 'a-file'), '');
    const before = inside();
    const { code, stderr } = await pluginNew('a-file', '--lang', 'c', '--force');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/BW_PROJECT_WRITE: .*a file is in the way/)]);
    expect(inside()).toEqual(before);
  });

  (process.getuid?.() === 0 ? test.skip : test)('a folder without permission to write', async () => {
    mkdirSync(join(directory.path, 'closed'));
    chmodSync(join(directory.path, 'closed'), 0o555);
    const { code, stderr } = await pluginNew('x', '--lang', 'c', '--directory', 'closed/x');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/BW_PROJECT_WRITE: .*permission denied/)]);
    expect(readdirSync(join(directory.path, 'closed'))).toEqual([]);
  });
});

/** Types answers on a terminal, each when its question has appeared. */
function onTerminal(
  args: string,
  answers: readonly (readonly [question: RegExp, answer: string])[],
): Promise<string> {
  const child = spawn('script', ['-qec', `'${process.execPath}' '${MAIN}' ${args}`, '/dev/null'], {
    cwd: directory.path,
    env: { ...process.env, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  let next = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    const wanted = answers[next];
    if (wanted === undefined || !wanted[0].test(output)) return;
    next += 1;
    child.stdin.write(wanted[1]);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(`${stripVTControlCharacters(output)}exit ${code}\n`));
  });
}

// Other systems have a different script(1) or none.
if (process.platform === 'linux' && existsSync('/usr/bin/script')) {
  test('on a terminal, plugin new asks for what is missing', async () => {
    const output = await onTerminal('plugin new', [
      [/name of the plugin: /, 'asked\r'],
      [/1-5 \[1\]: /, '9\r'],
      [/is not a number from 1 to 5[^]*1-5 \[1\]: /, 'cpp\r'],
      [/template:[^]*\[1\]: /, '2\r'],
    ]);
    expect(output).toMatch(/✓ asked: lets requests with an API key pass and refuses others, in C\+\+/);
    expect(output).toMatch(/exit 0$/m);
  });

  test('on a terminal, Ctrl-C at a question writes nothing', async () => {
    const output = await onTerminal('plugin new never', [[/\[1\]: /, '\u0003']]);
    expect(output).toMatch(/BW_USAGE: no answer was given[^]*exit 2$/m);
    expect(existsSync(join(directory.path, 'never'))).toBe(false);
  });
}

// npm run test:sdk does this with every template and every command of its README.
test(
  'the basic template in C is built by make and answers the requests of its HTTP test',
  () => {
    author.shell('npx backworks plugin new hello --lang c');
    expect(author.shell('make CFLAGS=-O0 && node --test test/http.test.mjs', 'hello')).toMatch(/^# pass 2$/m);
  },
  BUILD_MS,
);
