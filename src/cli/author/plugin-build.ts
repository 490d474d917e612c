import { relative } from 'node:path';
import { type BuildRun, buildProject } from '../../authoring/build/build.js';
import type { BuiltLibrary } from '../../authoring/build/libraries.js';
import { findProject, type Project } from '../../authoring/build/project.js';
import type { BuildSettings } from '../../authoring/build/steps.js';
import { parseTarget } from '../../authoring/build/target.js';
import type { ToolCall } from '../../authoring/build/tools.js';
import { BackworksError, EXIT } from '../../errors.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { listenForInterrupt } from '../command/interrupt.js';
import { cellText, printJson } from '../terminal/print.js';
import type { Screen } from '../terminal/screen.js';

export interface BuildOptions {
  readonly release?: boolean;
  readonly debug?: boolean;
  readonly target?: string;
}

/** `backworks plugin build [DIR]`: calls the build tool of the plugin's language, and checks the library. */
export async function pluginBuild(
  context: CommandContext,
  directory: string,
  given: BuildOptions,
): Promise<ExitCode> {
  const settings = settingsOf(given, context.env);
  const project = await findProject(directory);
  const interrupt = listenForInterrupt();
  const { out, err, json } = context;
  try {
    const run = await buildProject(project, settings, {
      signal: interrupt.signal,
      calls: (call) => showCall(err, call),
    });
    if (json) printJson(out, buildDocument(project, settings, run));
    else printBuild(out, run);
    return EXIT.ok;
  } catch (error) {
    const stopped = interrupt.exitCode();
    if (stopped === null) throw error;
    err.line('stopped');
    return stopped;
  }
}

/** @throws BackworksError BW_USAGE */
function settingsOf(
  { release = false, debug = false, target }: BuildOptions,
  environment: NodeJS.ProcessEnv,
): BuildSettings {
  if (release && debug) throw new BackworksError('BW_USAGE', 'give --release or --debug, not both');
  return {
    profile: debug ? 'debug' : 'release',
    target: target === undefined ? null : parseTarget(target),
    environment,
  };
}

/** Shows a call as a person could type it. */
export function showCall(err: Screen, { program, args }: ToolCall): void {
  const words = [program, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`));
  err.line(err.style('dim', `$ ${cellText(words.join(' '))}`));
}

/** One line for each library. */
function printBuild(out: Screen, { libraries, durationMs }: BuildRun): void {
  for (const library of libraries) {
    const where = cellText(relative(process.cwd(), library.path) || library.path);
    const took = out.style('dim', `in ${(durationMs / 1000).toFixed(1)} s`);
    out.line(`${out.style('green', 'built')} ${where}: ${factsText(library)} ${took}`);
  }
}

function factsText({ facts }: BuiltLibrary): string {
  const { format, architectures, libc, glibcFloor } = facts;
  const system = { elf: 'Linux', pe: 'Windows', 'mach-o': 'macOS' }[format];
  const needs = libc === null ? '' : `, ${libc}${glibcFloor === null ? '' : ` ${glibcFloor} or newer`}`;
  return `${system} ${architectures.join(' and ')}${needs}`;
}

function buildDocument(project: Project, { target, profile }: BuildSettings, run: BuildRun): object {
  return {
    project: { kind: project.kind, directory: project.directory, file: project.file },
    target: target?.name ?? null,
    profile,
    duration_ms: run.durationMs,
    libraries: run.libraries.map(({ path, facts }) => ({
      path,
      format: facts.format,
      architectures: facts.architectures,
      libc: facts.libc,
      glibc_floor: facts.glibcFloor,
    })),
  };
}
