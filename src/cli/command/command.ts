import type { Screen } from '../terminal/screen.js';

/** The context that every command gets. */
export interface CommandContext {
  /** Screen for results. */
  readonly out: Screen;
  /** Screen for everything else. */
  readonly err: Screen;
  readonly env: NodeJS.ProcessEnv;
  /** Value of --config. */
  readonly config: string | undefined;
  /** Value of --env. */
  readonly environment: string | undefined;
  /** Values of --set, in their order. */
  readonly set: readonly string[];
  /** Value of --url: the admin API of a running server. */
  readonly url: string | undefined;
  /** Value of --token. */
  readonly token: string | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly version: string;
}

/** The exit code of a command's process. */
export type ExitCode = number;

/** Runs one command in its context. */
export type Run = (command: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;
