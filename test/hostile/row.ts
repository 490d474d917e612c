import type { ErrorCode, PluginOutcome, PluginPhase } from '../../dist/errors.js';
import type { TestServer } from '../fixtures/server.js';
import type { Ground } from './ground.js';

/** What was seen of a row, in the words of the matrix's document. */
export interface Observation {
  /** What became of the deed. */
  readonly outcome: string;
  /** What the server told of it. */
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
  /** What the post-mortem says of the place: a pattern, or null for a place nobody can know. */
  readonly at?: RegExp | null;
  /** What the plugin's last words on stderr contain. */
  readonly stderr?: RegExp;
  /** What the log has of its stderr, for words that are not the last. */
  readonly logged?: RegExp;
  /** What the log line says. */
  readonly told: RegExp;
}

/** The plugin lives on and answers what became of its attempts. */
export interface Answers {
  readonly kind: 'answers';
  /** The JSON object it answers, whole but for `numbers`. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** Members that must be numbers between two others, these included. */
  readonly numbers?: Readonly<Record<string, readonly [low: number, high: number]>>;
  /** What the server tells as refused, "permission (function)" or the function alone; nothing else is told. */
  readonly refused?: readonly string[];
}

/** The process lives on, and its answer is thrown away. */
export interface BadAnswer {
  readonly kind: 'bad answer';
  /** 'process_endpoint' unless said otherwise. */
  readonly hook?: 'before_request' | 'after_response';
  readonly told: RegExp;
}

/** The plugin never serves. */
export interface NotLoaded {
  readonly kind: 'not loaded';
  readonly code: ErrorCode;
  /** None for a file that is refused before a process is started for it. */
  readonly outcome?: PluginOutcome;
  readonly phase?: PluginPhase;
  readonly told: RegExp;
}

/** A deed that takes more than one request, or whose outcome is a matter of luck. */
export interface Course {
  readonly kind: 'course';
  /** Has it done and checks what comes of it, up to where the next requests follow. */
  readonly run: (scene: Scene) => Promise<Observation>;
}

export type Expected = Ends | Answers | BadAnswer | NotLoaded | Course;

/** What a row's further checks can look at. */
export interface Scene {
  readonly server: TestServer;
  readonly ground: Ground;
  /** Process that did the deed; null when the plugin was not loaded. */
  readonly pid: number | null;
}

/** One thing a hostile plugin does, and what must come of it. */
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
