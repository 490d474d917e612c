import type { ErrorCode, PluginOutcome, PluginPhase } from '../../dist/errors.js';
import type { TestServer } from '../fixtures/server.js';
import type { Ground } from './ground.js';

/** What a row's test observed, as text for docs/hostile-matrix.md. */
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
  /** 'process_endpoint' unless said otherwise. */
  readonly phase?: PluginPhase;
  readonly signal?: string;
  readonly exitStatus?: number;
  readonly systemCall?: string;
  /** Pattern of the post-mortem's place; null if the place cannot be known. */
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
  /** 'process_endpoint' unless said otherwise. */
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
  /** Its library, test/fixtures/plugins/hostile/`fixture`, which does it on /bad or when it is loaded. */
  readonly fixture: string;
  /** The file that is loaded in place of the compiled library, whose path is given. */
  readonly library?: (compiled: string, ground: Ground) => string;
  /** Deadlines; so long by default that a busy machine does not reach them. */
  readonly callMs?: number;
  readonly initializeMs?: number;
  /** Further keys of its entry under `plugins:`, in YAML's flow style: "limits: { memory: 64MiB }". */
  readonly entry?: string | ((ground: Ground) => string | Promise<string>);
  /** The mechanism that contains it. */
  readonly by: string;
  readonly expected: Expected;
  /** Further checks, after the server has answered the next requests. */
  readonly also?: (scene: Scene) => void | Promise<void>;
  /** For what nothing catches: the sentence that says so. */
  readonly uncaught?: string;
}
