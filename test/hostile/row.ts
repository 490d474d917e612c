import type { ErrorCode, PluginOutcome, PluginPhase } from '../../dist/errors.js';
import type { TestServer } from '../fixtures/server.js';
import type { Ground } from './ground.js';

/** The result of a row's test, as text for docs/hostile-matrix.md. */
export interface Observation {
  /** The outcome of the fault. */
  readonly outcome: string;
  /** How the server reported the fault. */
  readonly reported: string;
}

/** The process of the plugin ends, and the call that was running fails. */
export interface Ends {
  readonly kind: 'ends';
  readonly outcome: PluginOutcome;
  readonly code: ErrorCode;
  /** Default: 'process_endpoint'. */
  readonly phase?: PluginPhase;
  readonly signal?: string;
  readonly exitStatus?: number;
  readonly systemCall?: string;
  /** Pattern of the crash address in the post-mortem; null when the report must have none. */
  readonly at?: RegExp | null;
  /** Pattern of the stderr excerpt in the post-mortem. */
  readonly stderr?: RegExp;
  /** Pattern of the logged stderr, for lines that are not in the excerpt. */
  readonly logged?: RegExp;
  /** Pattern of the log line and of the post-mortem. */
  readonly pattern: RegExp;
}

/** The plugin keeps running and answers with the results of its attempts. */
export interface Answers {
  readonly kind: 'answers';
  /** The JSON object it answers, without the members in `numbers`. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** Members that must be numbers within these bounds, inclusive. */
  readonly numbers?: Readonly<Record<string, readonly [low: number, high: number]>>;
  /** All refusals that the server reports: "permission (function)", or the function alone. */
  readonly refused?: readonly string[];
}

/** The process keeps running, and its answer is rejected. */
export interface BadAnswer {
  readonly kind: 'bad answer';
  /** Default: 'process_endpoint'. */
  readonly hook?: 'before_request' | 'after_response';
  readonly pattern: RegExp;
}

/** The plugin never serves. */
export interface NotLoaded {
  readonly kind: 'not loaded';
  readonly code: ErrorCode;
  /** None for a file that is refused before a process is started for it. */
  readonly outcome?: PluginOutcome;
  readonly phase?: PluginPhase;
  readonly pattern: RegExp;
}

/** A fault that takes more than one request, or whose outcome varies. */
export interface Course {
  readonly kind: 'course';
  /** Triggers the fault and checks its outcome, before the next requests are sent. */
  readonly run: (scene: Scene) => Promise<Observation>;
}

export type Expected = Ends | Answers | BadAnswer | NotLoaded | Course;

/** What the checks of a row can use. */
export interface Scene {
  readonly server: TestServer;
  readonly ground: Ground;
  /** Process with the fault; null when the plugin was not loaded. */
  readonly pid: number | null;
}

/** One fault of a hostile plugin, and its expected outcome. */
export interface Row {
  /** Row of the matrix; several behaviours may share one. */
  readonly id: `H${number}`;
  /** What the plugin does: "writes through a null pointer". */
  readonly does: string;
  /** Library test/fixtures/plugins/hostile/`fixture`, which commits the fault on /bad or while it is loaded. */
  readonly fixture: string;
  /** Returns the path to load in place of `compiled`, the path of the compiled library. */
  readonly library?: (compiled: string, ground: Ground) => string;
  /** Deadlines; the defaults are so long that a busy machine does not reach them. */
  readonly callMs?: number;
  readonly initializeMs?: number;
  /** Further keys of the plugin's entry, in YAML's flow style: "limits: { memory: 64MiB }". */
  readonly entry?: string | ((ground: Ground) => string | Promise<string>);
  /** The mechanism that contains the fault. */
  readonly by: string;
  readonly expected: Expected;
  /** Further checks, after the server has answered the next requests. */
  readonly also?: (scene: Scene) => void | Promise<void>;
  /** For a fault that nothing contains: the consequence, as a sentence. */
  readonly uncaught?: string;
}
