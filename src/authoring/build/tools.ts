import { spawn, spawnSync } from 'node:child_process';
import { BackworksError } from '../../errors.js';

/** One call of a program. */
export interface ToolCall {
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** Added to the environment of the build. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How to get a program that is missing. */
const SOURCES: Readonly<Record<string, string>> = {
  cc: 'install a C compiler, such as gcc: apt-get install build-essential, or xcode-select --install',
  'c++': 'install a C++ compiler, such as g++: apt-get install build-essential, or xcode-select --install',
  make: 'install make: apt-get install make, or xcode-select --install',
  cmake: 'install CMake: apt-get install cmake, or pip install cmake',
  cargo: 'install Rust: https://rustup.rs',
  go: 'install Go: https://go.dev/dl',
  zig: 'install Zig: pip install ziglang, or https://ziglang.org/download',
};
const FIRST_LINE = 'the output above says why';

export interface ToolContext {
  /** Ends the program. */
  readonly signal: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Runs a program. Its output goes to standard error, where a person sees it with its colours.
 * @param collect receives standard output instead
 * @throws BackworksError BW_BUILD_TOOL when the program is missing, BW_BUILD_FAILED when it fails
 */
export function runTool(
  call: ToolCall,
  { signal, environment: inherited }: ToolContext,
  collect?: (text: string) => void,
): Promise<void> {
  const { program, args, directory, environment } = call;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: directory,
      env: { ...inherited, ...environment },
      // Standard output of this process is for results.
      stdio: ['ignore', collect === undefined ? 2 : 'pipe', 2],
      signal,
    });
    child.stdout?.setEncoding('utf8').on('data', collect ?? (() => undefined));
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? missingTool(program) : error);
    });
    child.once('close', (code, killed) => {
      if (code === 0) resolve();
      else reject(failed(program, killed ?? `exit code ${code ?? 'unknown'}`));
    });
  });
}

function failed(program: string, why: string): BackworksError {
  return new BackworksError('BW_BUILD_FAILED', `${program} failed (${why})`, { hint: FIRST_LINE });
}

function missingTool(program: string): BackworksError {
  return new BackworksError('BW_BUILD_TOOL', `the program ${program} is not installed, or not in PATH`, {
    hint: SOURCES[program],
  });
}

/**
 * The words that start zig: the program, or the Python package that contains it.
 * @throws BackworksError BW_BUILD_TOOL
 */
export function findZig(environment: NodeJS.ProcessEnv): readonly [program: string, ...args: string[]] {
  const forms = [['zig'], ['python3', '-m', 'ziglang']] as const;
  for (const [program, ...args] of forms) {
    const { status } = spawnSync(program, [...args, 'version'], { stdio: 'ignore', env: environment });
    if (status === 0) return [program, ...args];
  }
  throw missingTool('zig');
}
