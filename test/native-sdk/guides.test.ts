/** The plugins of the guides are built word for word, by the commands of the guides, and serve. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { startServer, type TestServer } from '../fixtures/server.js';
import { authorsDirectory, codeOf, isInstalled, shell } from './guide-code.js';

const BUILD_MS = 300_000;
const BUILD_TOOLS = 'native-sdk/README.md';

/** A guide with one plugin, whose first command builds it. */
const GUIDES = [
  {
    page: 'native-sdk/c/README.md',
    language: 'c',
    source: 'greeter.c',
    compilers: ['cc -std=c11', 'clang -std=c11'],
  },
  {
    page: 'native-sdk/cpp/README.md',
    language: 'cpp',
    source: 'greeter.cpp',
    compilers: ['c++ -std=c++17', 'c++ -std=c++20', 'clang++ -std=c++17'],
  },
];

let server: TestServer | undefined;
afterEach(async () => {
  await server?.backworks.stop();
  server = undefined;
});

const greeting = async (library: string, config: string): Promise<unknown> => {
  server = await startServer(`
endpoints: { greet: { path: "/hello/{name}", plugin: greeter }, other: { path: /other, plugin: greeter } }
plugins: { greeter: { path: ${library}, critical: true, timeouts: { call: 5s }, config: ${config} } }
`);
  expect((await fetch(`${server.url}/other`)).status).toBe(404);
  expect((await fetch(`${server.url}/hello/${'x'.repeat(65)}`)).status).toBe(400);
  const response = await fetch(`${server.url}/hello/Ada`);
  expect(response.headers.get('cache-control')).toBe('max-age=60');
  return response.json();
};

describe.each(GUIDES)('$page', ({ page, language, source, compilers }) => {
  const [code = ''] = codeOf(page, language);
  const [command = ''] = codeOf(page, 'sh');

  test(
    'its plugin is built by its command, and serves',
    async () => {
      const directory = authorsDirectory({ [source]: code });
      shell(command, directory);
      const answer = await greeting(join(directory, 'libgreeter.so'), '{ greeting: good day, repeat: 2 }');
      expect(answer).toEqual({ greetings: ['good day Ada', 'good day Ada'] });
    },
    BUILD_MS,
  );

  test.each(compilers.filter((compiler) => isInstalled(compiler.split(' ')[0] ?? '')))(
    'has no warning: %s',
    (compiler) => {
      const directory = authorsDirectory({ [source]: code });
      const warnings =
        '-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -Inode_modules/backworks/native-sdk/include';
      shell(`${compiler} ${warnings} -fsyntax-only ${source}`, directory);
    },
    BUILD_MS,
  );
});

describe('a plugin of several C files', () => {
  test(
    'shares the host and the configuration',
    async () => {
      const [code = ''] = codeOf('native-sdk/c/README.md', 'c');
      const directory = authorsDirectory({
        'greeter.c': `#include "part.h"\n${code.replace('BACKWORKS_INFO("greeting %s", name);', 'say(name);')}`,
        'part.h': 'void say(const char *name);\n',
        'part.c':
          '#include <backworks_sdk.h>\n#include "part.h"\nvoid say(const char *name) { BACKWORKS_WARN("saying %s", name); }\n',
      });
      shell(
        'cc -std=c11 -Wall -Wextra -Werror -shared -fPIC -I node_modules/backworks/native-sdk/include -o libgreeter.so greeter.c part.c',
        directory,
      );
      expect(await greeting(join(directory, 'libgreeter.so'), '{}')).toEqual({ greetings: ['hello Ada'] });
      expect(server?.log.map(({ message }) => message)).toContain('saying Ada');
    },
    BUILD_MS,
  );
});

describe(`${BUILD_TOOLS}: build tools`, () => {
  const [code = ''] = codeOf('native-sdk/c/README.md', 'c');
  const [byPkgConfig = '', byCMake = ''] = codeOf(BUILD_TOOLS, 'sh');

  (isInstalled('pkg-config') ? test : test.skip)(
    'pkg-config builds the plugin of the guide',
    async () => {
      const directory = authorsDirectory({ 'greeter.c': code });
      shell(byPkgConfig, directory);
      expect(await greeting(join(directory, 'libgreeter.so'), '{}')).toEqual({ greetings: ['hello Ada'] });
    },
    BUILD_MS,
  );

  (isInstalled('cmake') ? test : test.skip)(
    'CMake builds the plugin of the guide',
    async () => {
      const directory = authorsDirectory({ 'greeter.c': code });
      const [lists = ''] = codeOf(BUILD_TOOLS, 'cmake');
      writeFileSync(join(directory, 'CMakeLists.txt'), lists);
      shell(byCMake, directory);
      expect(await greeting(join(directory, 'build/libgreeter.so'), '{}')).toEqual({
        greetings: ['hello Ada'],
      });
      // The functions of the ABI, and nothing of the SDK or of yyjson.
      shell('test "$(nm -D --defined-only build/libgreeter.so | wc -l)" -eq 3', directory);
    },
    BUILD_MS,
  );

  (isInstalled('cmake') ? test : test.skip)(
    'CMake builds the plugin of the C++ guide',
    async () => {
      const [cpp = ''] = codeOf('native-sdk/cpp/README.md', 'cpp');
      const directory = authorsDirectory({ 'greeter.cpp': cpp });
      const [lists = ''] = codeOf(BUILD_TOOLS, 'cmake');
      const text = lists.replace('(greeter C)', '(greeter CXX)').replace('greeter.c)', 'greeter.cpp)');
      writeFileSync(join(directory, 'CMakeLists.txt'), text);
      shell(byCMake, directory);
      expect(await greeting(join(directory, 'build/libgreeter.so'), '{}')).toEqual({
        greetings: ['hello Ada'],
      });
    },
    BUILD_MS,
  );
});
