/** Every template of `plugin new` is built by the language's own tool outside of the checkout, and does what its README says. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { AuthorFolder } from '../fixtures/author.js';
import { root, target } from './language.js';
import { zigIsMissing } from './zig-plugins.js';

const BUILD_MS = 1_200_000;

const caches = join(target, 'templates');
mkdirSync(caches, { recursive: true });

/** Projects share what they compile of the SDK and of packages. */
const author = new AuthorFolder({
  PATH: `${process.env['PATH']}${delimiter}${join(root, 'build/zig/ziglang')}`,
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '1',
  GOFLAGS: '-buildvcs=false',
  GOPROXY: 'off',
  ZIG_GLOBAL_CACHE_DIR: join(target, 'zig/cache'),
});
afterAll(() => author.remove());

interface Template {
  readonly name: string;
  readonly language: string;
}

const listed = execFileSync(process.execPath, [
  join(root, 'dist/cli/main.js'),
  'plugin',
  'new',
  '--list',
  '--json',
]);
const { templates } = JSON.parse(listed.toString()) as {
  templates: { name: string; languages: string[] }[];
};
const all: Template[] = templates.flatMap(({ name, languages }) =>
  languages.map((language) => ({ name, language })),
);

/** cargo puts the library into target/, which projects of one package name cannot share at a time. */
function shareCargoTarget(project: string): void {
  mkdirSync(join(caches, 'rust'), { recursive: true });
  author.shell(`ln -s '${join(caches, 'rust')}' target`, project);
}

describe.each(all)('$name in $language', ({ name, language }) => {
  const isMissing = language === 'zig' && zigIsMissing !== null;
  const project = `${name}-${language}`;

  (isMissing ? test.skip : test)(
    'is built, tested, checked and served by the commands of its README',
    async () => {
      author.shell(`npx backworks plugin new ${project} --lang ${language} --template ${name}`);
      if (language === 'rust') shareCargoTarget(project);
      const { commands, differences } = await author.followReadme(project);
      expect(differences).toEqual([]);
      expect(commands).toBeGreaterThanOrEqual(4);
    },
    BUILD_MS,
  );

  (isMissing ? test.skip : test)('plugin validate reports no defect and no warning', () => {
    const report = JSON.parse(
      author.shell(`npx backworks --json plugin validate --config backworks.yaml ${project}`, project),
    ) as { ok: boolean; plugins: { checks: { name: string; outcome: string }[] }[] };
    expect(report.ok).toBe(true);
    const outcomes = report.plugins[0]?.checks.map(({ name: check, outcome }) => `${check}: ${outcome}`);
    expect(outcomes).not.toEqual([]);
    expect(outcomes?.filter((outcome) => !outcome.endsWith('passed'))).toEqual([]);
  });
});

test('the Go sources have the format of gofmt', () => {
  expect(execFileSync('gofmt', ['-l', join(root, 'templates')]).toString()).toBe('');
});
