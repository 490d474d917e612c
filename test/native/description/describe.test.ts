import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { PluginFailure } from '../../../dist/errors.js';
import { describeLibrary } from '../../../dist/native/description/describe.js';
import { readDescription } from '../../../dist/native/description/description.js';
import { compilePlugin } from '../../fixtures/compile.js';
import { compile, MINIMAL_PLUGIN, temporaryDirectory, write } from '../library/facts/library-files.js';

const directory = temporaryDirectory();
let count = 0;

/** A library that runs this code when it is loaded, and records each load in a file. */
function withConstructor(name: string, body: string): { library: string; loads: () => number } {
  const journal = join(directory, `${name}.loads`);
  writeFileSync(journal, '');
  const source = `
    #include <fcntl.h>
    #include <signal.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <unistd.h>
    __attribute__((constructor)) static void load(void) {
      int journal = open("${journal}", O_WRONLY | O_APPEND);
      if (write(journal, "x", 1) != 1) abort();
      close(journal);
      ${body}
    }
    ${MINIMAL_PLUGIN}`;
  const library = compile(join(directory, `${name}.so`), source);
  return { library, loads: () => readFileSync(journal).length };
}

const freshCache = (): string => join(directory, `cache${count++}`);

async function failure(promise: Promise<unknown>): Promise<PluginFailure> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PluginFailure)) throw error;
  expect(error.phase).toBe('describe');
  return error;
}

test('a library describes itself', async () => {
  expect(await describeLibrary(compilePlugin('echo'), { cacheDirectory: null })).toMatchObject({
    name: 'echo',
    version: '1.0.0',
    manifest: null,
    functions: new Set(['before_request', 'after_response', 'process_endpoint']),
    threadSafe: false,
  });
});

test('a description is cached until the file changes', async () => {
  const { library, loads } = withConstructor('remembered', '');
  const options = { cacheDirectory: freshCache() };
  const description = await describeLibrary(library, options);
  expect(await describeLibrary(library, options)).toEqual(description);
  expect(loads()).toBe(1);
  utimesSync(library, new Date(), new Date());
  expect(await describeLibrary(library, options)).toEqual(description);
  expect(loads()).toBe(2);
});

test('a damaged cache entry is ignored', async () => {
  const { library, loads } = withConstructor('damaged', '');
  const cacheDirectory = freshCache();
  await describeLibrary(library, { cacheDirectory });
  const folder = join(cacheDirectory, 'descriptions');
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), '{"desc');
  expect((await describeLibrary(library, { cacheDirectory })).name).toBe('minimal');
  expect(loads()).toBe(2);
});

test('a crash while loading is reported by its signal, and cached', async () => {
  const { library, loads } = withConstructor('crasher', 'fputs("last words\\n", stderr); raise(SIGSEGV);');
  const options = { cacheDirectory: freshCache() };
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = await failure(describeLibrary(library, options));
    expect(error).toMatchObject({ code: 'BW_PLUGIN_CRASHED', signal: 'SIGSEGV', stderrTail: ['last words'] });
    expect(error.message).toBe(`plugin ${library} crashed with SIGSEGV while being loaded`);
  }
  expect(loads()).toBe(1);
});

test('a process killed from outside does not count against the library', async () => {
  const { library, loads } = withConstructor('killed', 'raise(SIGKILL);');
  const options = { cacheDirectory: freshCache() };
  expect(await failure(describeLibrary(library, options))).toMatchObject({ signal: 'SIGKILL' });
  expect(await failure(describeLibrary(library, options))).toMatchObject({ code: 'BW_PLUGIN_CRASHED' });
  expect(loads()).toBe(2);
});

test('a library that exits with code 0 while loading has failed', async () => {
  const { library } = withConstructor('quitter', '_exit(0);');
  const error = await failure(describeLibrary(library, { cacheDirectory: null }));
  expect(error).toMatchObject({ code: 'BW_PLUGIN_EXITED', exitStatus: 0 });
  expect(error.message).toMatch('it ended its process with exit code 0');
});

test('a library that never finishes loading is stopped, with the processes it started', async () => {
  const pids = join(directory, 'pids');
  const note = `FILE *file = fopen("${pids}", "a"); fprintf(file, "%d\\n", getpid()); fclose(file);`;
  const { library } = withConstructor('sleeper', `fork(); ${note} for (;;) pause();`);
  const error = await failure(describeLibrary(library, { cacheDirectory: null, timeoutMs: 500 }));
  expect(error.code).toBe('BW_PLUGIN_TIMEOUT');
  expect(error.message).toMatch('did not finish loading within 500 ms');
  const started = readFileSync(pids, 'utf8').trim().split('\n');
  expect(started).toHaveLength(2);
  while (started.some(isRunning)) await setTimeout(10);
});

/** A process that ended but was not reaped is a zombie: it has a pid, but runs no code. */
function isRunning(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return !['ESRCH', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

test('a child process that holds the pipes open does not delay the description', async () => {
  const { library } = withConstructor('forker', 'if (fork() == 0) { setsid(); sleep(20); _exit(0); }');
  expect((await describeLibrary(library, { cacheDirectory: null, timeoutMs: 10_000 })).name).toBe('minimal');
}, 10_000);

test('output of a library while loading is not part of its description', async () => {
  const { library } = withConstructor('talker', 'puts("{}"); fflush(stdout);');
  expect((await describeLibrary(library, { cacheDirectory: null })).name).toBe('minimal');
});

test('a described library sees neither the environment nor the directory of the server', async () => {
  // When coverage is measured, Node passes this one variable to every child.
  const foreign = 'for (char **e = environ; *e; e++) if (strncmp(*e, "NODE_V8_COVERAGE=", 17)) abort();';
  const body = `char here[8]; ${foreign} if (!getcwd(here, 8) || here[1]) abort();`;
  const { library } = withConstructor('curious', `extern char **environ; ${body}`);
  expect((await describeLibrary(library, { cacheDirectory: null })).name).toBe('minimal');
});

test('a library that cannot be loaded fails with the loader’s reason, and is not cached', async () => {
  const source = `int nowhere(void); int uses(void) { return nowhere(); } ${MINIMAL_PLUGIN}`;
  const library = compile(join(directory, 'unresolved.so'), source, ['-shared', '-fPIC', '-Wl,-z,now']);
  const cacheDirectory = freshCache();
  const error = await failure(describeLibrary(library, { cacheDirectory }));
  expect(error).toMatchObject({ code: 'BW_PLUGIN_LOAD', exitStatus: 75 });
  expect(error.message).toMatch('nowhere');
  expect(readdirSync(cacheDirectory)).toEqual([]);
});

test('a library without the required functions is refused', async () => {
  const error = await failure(describeLibrary(compilePlugin('missing_vtable'), { cacheDirectory: null }));
  expect(error.code).toBe('BW_PLUGIN_LOAD');
  expect(error.message).toMatch('plugin_vtable');
});

test('a runner that prints without end is stopped', async () => {
  const runner = write(join(directory, 'endless'), '#!/bin/sh\nwhile :; do echo 0123456789; done\n', 0o755);
  const options = { runner, cacheDirectory: null, timeoutMs: 20_000 };
  const error = await failure(describeLibrary(compilePlugin('echo'), options));
  expect(error).toMatchObject({ code: 'BW_PLUGIN_METADATA' });
});

test('a missing file is an error', async () => {
  const none = join(directory, 'none');
  await expect(describeLibrary(none, { cacheDirectory: null })).rejects.toMatchObject({
    code: 'BW_LIBRARY_NOT_FOUND',
  });
  const runner = write(join(directory, 'broken-runner'), '', 0o644);
  await expect(
    describeLibrary(compilePlugin('echo'), { runner, cacheDirectory: null }),
  ).rejects.toMatchObject({ code: 'BW_RUNNER_START' });
});

const good = {
  name: 'Weather_2-x',
  version: '1.0.0',
  description: null,
  manifest: null,
  functions: ['call', 'unheard_of', 7],
  thread_safe: true,
  abi_version: 1,
};

test('a correct description is accepted', () => {
  expect(readDescription(good, 'p.so')).toEqual({
    name: 'Weather_2-x',
    version: '1.0.0',
    description: '',
    manifest: null,
    functions: new Set(['call']),
    threadSafe: true,
    abiVersion: 1,
  });
  expect(readDescription({ ...good, description: 'a\u001b[2Jb' }, 'p.so').description).toBe('a\\x1b[2Jb');
});

test.each([
  [{ name: null }, 'its name is missing'],
  [{ name: '' }, 'its name is ""'],
  [{ name: '-a' }, 'its name is "-a"'],
  [{ name: 'a'.repeat(65) }, 'its name is "aaa'],
  [{ name: 'a\n' }, 'its name is "a\\n"'],
  [{ version: '' }, 'its version is missing'],
  [{ version: null }, 'its version is missing'],
  [{ version: '1\u001b' }, 'its version is not one line of at most 128 characters'],
  [{ description: 'é'.repeat(513) }, 'its description is longer than 1024 bytes'],
  [{ manifest: 1 }, 'its description is incomplete'],
  [{ thread_safe: undefined }, 'its description is incomplete'],
])('a wrong description is rejected: %j', (change, message) => {
  expect(() => readDescription({ ...good, ...change }, 'p.so')).toThrow(message);
});
