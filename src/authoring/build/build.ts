import { type BuiltLibrary, checkLibraries, findLibraries } from './libraries.js';
import type { Project } from './project.js';
import { type BuildSettings, buildSteps } from './steps.js';
import { runTool, type ToolCall } from './tools.js';

export interface BuildRun {
  readonly libraries: readonly BuiltLibrary[];
  readonly durationMs: number;
}

export interface BuildWatcher {
  /** Ends the tool that is running. */
  readonly signal: AbortSignal;
  /** Called before each call of a tool. */
  readonly calls: (call: ToolCall) => void;
}

/** File systems round times; a library written at the start of the build still counts. */
const CLOCK_SLACK_MS = 2000;

/**
 * Builds a project with its own tool, and checks the result by its file.
 * @throws BackworksError BW_BUILD_TOOL, BW_BUILD_FAILED; the reason of the signal
 */
export async function buildProject(
  project: Project,
  settings: BuildSettings,
  { signal, calls }: BuildWatcher,
): Promise<BuildRun> {
  const startedMs = Date.now();
  const steps = buildSteps(project, settings);
  let artifacts = '';
  for (const call of steps.calls) {
    calls(call);
    await runTool(call, { signal, environment: settings.environment }, steps.reportsArtifacts ? (text) => (artifacts += text) : undefined);
  }
  const { directory } = project;
  const reported = steps.reportsArtifacts ? dynamicLibraries(artifacts) : steps.library === null ? null : [steps.library];
  const libraries =
    reported === null
      ? await findLibraries(directory, startedMs - CLOCK_SLACK_MS, settings.target)
      : await checkLibraries(directory, reported, settings.target);
  return { libraries, durationMs: Date.now() - startedMs };
}

/** The dynamic libraries in cargo's messages, one JSON object a line. */
function dynamicLibraries(messages: string): string[] {
  return messages.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    const { reason, target, filenames } = JSON.parse(line) as {
      reason?: string;
      target?: { crate_types?: readonly string[] };
      filenames?: readonly string[];
    };
    if (reason !== 'compiler-artifact' || target?.crate_types?.includes('cdylib') !== true) return [];
    return (filenames ?? []).filter((name) => /\.(?:so|dylib|dll)$/.test(name));
  });
}
