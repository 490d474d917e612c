import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program in the form that users run. */
export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Modules loaded before the program. */
  readonly imports?: readonly string[];
  /** In its own process group, as in a terminal. */
  readonly detached?: boolean;
  /** Limit of open file descriptors; POSIX only. */
  readonly openFiles?: number;
}

/** Runs a command until it exits. */
export function backworks(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new RunningCommand(args, options).finished;
}

/** A running command, and its output so far. */
export class RunningCommand {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  stdout = '';
  stderr = '';
  private ended = false;
  private readonly watchers = new Set<() => void>();

  constructor(
    args: readonly string[],
    { cwd, env = {}, imports = [], detached = false, openFiles }: RunOptions = {},
  ) {
    // Settings of the machine that runs the tests must not show in the results.
    const inherited = { ...process.env };
    for (const name of ['NO_COLOR', 'FORCE_COLOR', 'BACKWORKS_CONFIG', 'BACKWORKS_ENV', 'BACKWORKS_SET'])
      delete inherited[name];
    const preloads = imports.flatMap((module) => ['--import', module]);
    const command = [process.execPath, ...preloads, MAIN, ...args];
    const limited = ['sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`, ...command];
    const [program = '', ...rest] = openFiles === undefined ? command : limited;
    this.child = spawn(program, rest, {
      cwd: cwd ?? tmpdir(),
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached,
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.note('stdout', text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.note('stderr', text));
    this.finished = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        this.ended = true;
        for (const watcher of this.watchers) watcher();
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** JSON log lines so far. */
  get log(): Record<string, unknown>[] {
    const lines = this.stdout.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Resolves to the first log line whose message matches. */
  async logged(message: RegExp): Promise<Record<string, unknown>> {
    return this.until(() => this.log.find(({ msg }) => message.test(String(msg))), message);
  }

  /** Resolves to the first result of `look` on the output that is not undefined. */
  async until<T>(look: () => T | undefined, what: unknown): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.ended) throw new Error(`ended without ${String(what)}:\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  private note(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    for (const watcher of this.watchers) watcher();
    this.watchers.clear();
  }
}

/** A directory with files for one test file. */
export function scratch(files: Readonly<Record<string, string>> = {}): {
  readonly path: string;
  write(name: string, text: string): string;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'backworks-cli-'));
  const write = (name: string, text: string): string => {
    writeFileSync(join(path, name), text);
    return join(path, name);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}
