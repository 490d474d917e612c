import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { sdkPlaces } from './sdk-place.js';
import { type Project, stemOf } from './project.js';
import { type BuildTarget, cmakeSystem, goTarget, libraryName, rustTarget } from './target.js';
import { findZig, type ToolCall } from './tools.js';

export interface BuildSettings {
  /** Null: this machine, with the compiler of this machine. */
  readonly target: BuildTarget | null;
  readonly profile: 'release' | 'debug';
  /** Of the tools. */
  readonly environment: NodeJS.ProcessEnv;
}

/** The calls that build a project, and where its library then is. */
export interface BuildSteps {
  readonly calls: readonly ToolCall[];
  /** Path of the library, when the tool is told where to put it. */
  readonly library: string | null;
  /** The last call prints the paths of its libraries, in cargo's JSON. */
  readonly reportsArtifacts: boolean;
}

/** @throws BackworksError BW_BUILD_TOOL when the target needs zig, which is missing */
export function buildSteps(project: Project, settings: BuildSettings): BuildSteps {
  return STEPS[project.kind](project, settings);
}

const STEPS = { make, cmake, cargo, go, zig, c: compile, 'c++': compile } satisfies Record<
  Project['kind'],
  (project: Project, settings: BuildSettings) => BuildSteps
>;

/** Compilers find the headers without flags, pkg-config and CMake find the package. */
function sdkEnvironment({ environment }: BuildSettings): Record<string, string> {
  const { include, pkgconfig } = sdkPlaces();
  const { CPATH, PKG_CONFIG_PATH } = environment;
  return {
    CPATH: CPATH === undefined ? include : `${include}:${CPATH}`,
    PKG_CONFIG_PATH: PKG_CONFIG_PATH === undefined ? pkgconfig : `${pkgconfig}:${PKG_CONFIG_PATH}`,
  };
}

/** Where outputs are kept. A configuration names the path, so it is the same for both profiles. */
function outputOf({ directory }: Project, { target }: BuildSettings): string {
  return target === null ? join(directory, 'build') : join(directory, 'build', target.name);
}

/** The compiler with its first arguments, for C or C++. */
function compiler(language: 'cc' | 'c++', { target, environment }: BuildSettings): readonly [string, ...string[]] {
  if (target === null) return [language];
  return [...findZig(environment), language, '-target', target.name];
}

function compile(project: Project, settings: BuildSettings): BuildSteps {
  const { kind, directory, file } = project;
  const { target, profile } = settings;
  const output = outputOf(project, settings);
  mkdirSync(output, { recursive: true });
  const library = join(output, libraryName(stemOf(project), target));
  const [program, ...words] = compiler(kind === 'c' ? 'cc' : 'c++', settings);
  const optimize = profile === 'release' ? '-O2' : '-O0';
  const position = target?.system === 'windows' ? [] : ['-fPIC'];
  const standard = kind === 'c' ? '-std=c11' : '-std=c++17';
  const flags = [standard, '-Wall', '-Wextra', optimize, '-g', '-fvisibility=hidden', '-shared', ...position];
  const args = [...words, ...flags, `-I${sdkPlaces().include}`, '-o', library, file];
  return one({ program, args, directory, environment: {} }, library);
}

function make(project: Project, settings: BuildSettings): BuildSteps {
  const { directory } = project;
  const variables =
    settings.target === null
      ? []
      : // Objects of another target would be reused.
        ['-B', `CC=${compiler('cc', settings).join(' ')}`, `CXX=${compiler('c++', settings).join(' ')}`];
  const args = [`-j${availableParallelism()}`, ...variables];
  return one({ program: 'make', args, directory, environment: sdkEnvironment(settings) }, null);
}

function cmake(project: Project, settings: BuildSettings): BuildSteps {
  const { directory } = project;
  const { target, profile } = settings;
  const output = outputOf(project, settings);
  const type = profile === 'release' ? 'RelWithDebInfo' : 'Debug';
  const cross = target === null ? [] : crossCmake(target);
  const environment: Record<string, string> =
    target === null
      ? sdkEnvironment(settings)
      : {
          ...sdkEnvironment(settings),
          CC: compiler('cc', settings).join(' '),
          CXX: compiler('c++', settings).join(' '),
        };
  const configure = ['-S', '.', '-B', output, `-DCMAKE_BUILD_TYPE=${type}`, `-DCMAKE_PREFIX_PATH=${sdkPlaces().cmake}`];
  const call = { program: 'cmake', directory, environment };
  return {
    calls: [
      { ...call, args: [...configure, ...cross] },
      { ...call, args: ['--build', output, '--parallel'] },
    ],
    library: null,
    reportsArtifacts: false,
  };
}

function crossCmake(target: BuildTarget): string[] {
  return [
    `-DCMAKE_SYSTEM_NAME=${cmakeSystem(target)}`,
    `-DCMAKE_SYSTEM_PROCESSOR=${target.cpu}`,
    // The package of the SDK is outside of every system root.
    '-DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=BOTH',
    // zig links for macOS itself, and there is nothing to run.
    ...(target.system === 'macos' ? ['-DCMAKE_INSTALL_NAME_TOOL=:', '-DCMAKE_OSX_SYSROOT='] : []),
  ];
}

function cargo(project: Project, settings: BuildSettings): BuildSteps {
  const { directory } = project;
  const { target, profile } = settings;
  const triple = target === null ? null : rustTarget(target);
  const args = [
    'build',
    '--message-format',
    'json-render-diagnostics',
    ...(profile === 'release' ? ['--release'] : []),
    ...(triple === null ? [] : ['--target', triple]),
  ];
  const environment: Record<string, string> = sdkEnvironment(settings);
  if (target !== null && triple !== null) {
    const variable = `CARGO_TARGET_${triple.toUpperCase().replaceAll('-', '_')}_LINKER`;
    environment[variable] = linkerScript(project, settings);
  }
  const calls = [{ program: 'cargo', args, directory, environment }];
  return { calls, library: null, reportsArtifacts: true };
}

/** cargo takes one program as linker, without arguments. */
function linkerScript(project: Project, settings: BuildSettings): string {
  const output = outputOf(project, settings);
  const script = join(output, 'linker.sh');
  const words = compiler('cc', settings).map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  mkdirSync(output, { recursive: true });
  writeFileSync(script, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}

function go(project: Project, settings: BuildSettings): BuildSteps {
  const { directory } = project;
  const { target, profile } = settings;
  const library = join(outputOf(project, settings), libraryName(stemOf(project), target));
  const flags = profile === 'debug' ? ['-gcflags', 'all=-N -l'] : [];
  const args = ['build', '-buildmode=c-shared', ...flags, '-o', library, '.'];
  const cross = target === null ? {} : { ...goTarget(target), CC: compiler('cc', settings).join(' ') };
  return one({ program: 'go', args, directory, environment: { ...sdkEnvironment(settings), CGO_ENABLED: '1', ...cross } }, library);
}

function zig(project: Project, settings: BuildSettings): BuildSteps {
  const { directory } = project;
  const { target, profile } = settings;
  const [program, ...words] = findZig(settings.environment);
  const output = outputOf(project, settings);
  const args = [
    ...words,
    'build',
    '-p',
    output,
    `-Doptimize=${profile === 'release' ? 'ReleaseSafe' : 'Debug'}`,
    ...(target === null ? [] : [`-Dtarget=${target.name}`]),
  ];
  return one({ program, args, directory, environment: sdkEnvironment(settings) }, null);
}

function one(call: ToolCall, library: string | null): BuildSteps {
  return { calls: [call], library, reportsArtifacts: false };
}
