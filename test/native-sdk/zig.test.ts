/** The Zig SDK: its README is built word for word. Run by `npm run test:sdk`. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from '@jest/globals';
import { startServer } from '../fixtures/server.js';
import { root, sources, target } from './language.js';
import { zig, zigIsMissing, zigPackage } from './zig-plugins.js';

const BUILD_MS = 600_000;
const withZig = zigIsMissing === null ? test : test.skip;
const notRun = zigIsMissing === null ? '' : ` (not run: ${zigIsMissing})`;

const readme = readFileSync(join(zigPackage, 'README.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code ?? '');
const [plugin = '', build = ''] = blocks('zig');

function authorsDirectory(name: string): string {
  const directory = join(target, 'zig', name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'greeter.zig'), plugin);
  return directory;
}

withZig(
  `the plugin of the README is built by its command, and serves${notRun}`,
  async () => {
    const directory = authorsDirectory('by-command');
    copyFileSync(join(zigPackage, 'backworks.zig'), join(directory, 'backworks.zig'));
    zig((blocks('sh')[0] ?? '').trim().split(' ').slice(1), directory);
    const server = await startServer(`
endpoints: { hello: { path: "/hello/{name}", plugin: greeter } }
plugins: { greeter: { path: ${join(directory, 'libgreeter.so')}, critical: true, config: { greeting: hi } } }
`);
    expect((await server.get('/hello/Ada')).body).toEqual({ greeting: 'hi Ada' });
    expect((await server.get(`/hello/${'x'.repeat(101)}`)).status).toBe(400);
    expect(server.plugin('greeter').hooks).toEqual(['process_endpoint']);
  },
  BUILD_MS,
);

withZig(
  `the package is found by build.zig.zon, and the build.zig of the README builds it${notRun}`,
  () => {
    const directory = authorsDirectory('by-package');
    writeFileSync(join(directory, 'build.zig'), build);
    const zon = `.{ .name = .greeter, .version = "1.0.0", .fingerprint = 0x3dc4b1ad01dcac90, .paths = .{""},
    .dependencies = .{ .backworks = .{ .path = "${relative(directory, zigPackage)}" } } }\n`;
    writeFileSync(join(directory, 'build.zig.zon'), zon);
    zig(['build', '-Doptimize=ReleaseSafe'], directory);
    expect(readFileSync(join(directory, 'zig-out/lib/libgreeter.so')).subarray(1, 4).toString()).toBe('ELF');
  },
  BUILD_MS,
);

withZig(
  `the unit test of the README passes, and the mock host does what it says${notRun}`,
  () => {
    const sdk = `-Mbackworks=${join(zigPackage, 'backworks.zig')}`;
    const directory = authorsDirectory('tested');
    writeFileSync(join(directory, 'greeter.zig'), `${plugin}\n${blocks('zig')[2] ?? ''}`);
    zig(['test', '-lc', '--dep', 'backworks', '-Mroot=greeter.zig', sdk], directory);
    zig(
      ['test', '-lc', '--dep', 'backworks', `-Mroot=${join(root, 'test/fixtures/sdk/mock_host.zig')}`, sdk],
      directory,
    );
    writeFileSync(
      join(directory, 'greeter.zig'),
      `${plugin.replace('.greeting = greeting', '.greting = greeting')}\n${blocks('zig')[2] ?? ''}`,
    );
    expect(() => zig(['test', '-lc', '--dep', 'backworks', '-Mroot=greeter.zig', sdk], directory)).toThrow(
      /"greting":"good day Ada"/,
    );
  },
  BUILD_MS,
);

withZig(`zig fmt finds nothing${notRun}`, () => {
  zig(['fmt', '--check', zigPackage, join(sources, 'zig'), join(root, 'test/fixtures/sdk')], zigPackage);
});
