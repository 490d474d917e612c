import {
  type BackworksError,
  type CrashFrame,
  type ErrorCode,
  PluginFailure,
  toBackworksError,
} from '../errors.js';

/**
 * The result of one check. "skipped": the check could not run, for example because the plugin needs a
 * configuration. "unavailable": the check needs a program or a system that this machine does not have.
 */
export type CheckOutcome =
  'passed' | 'warning' | 'failed' | 'crashed' | 'timeout' | 'skipped' | 'unavailable';

/** The input with which a check found something. */
export interface CheckInput {
  /** The function that was called: a hook, or "operation" and a name. */
  readonly function: string;
  /** The JSON text that the plugin received. */
  readonly document: string;
  /** Arguments of `backworks plugin call` after the library that make the same call. Null when it has none. */
  readonly call: readonly string[] | null;
  /** The body of the call, for the file that `call` names as `@input.body`; null when there is none. */
  readonly body: Buffer | null;
  /** Whether this input alone leads to the finding. If not, the calls before it are needed too. */
  readonly alone: boolean;
}

/** One check of a library. */
export interface ValidationCheck {
  readonly name: string;
  readonly outcome: CheckOutcome;
  readonly detail: string;
  readonly hint: string | null;
  /** Output of the process on stderr before it failed: the first and the last lines, oldest first. */
  readonly stderr: readonly string[];
  /** The functions that were active when a process crashed or misused memory, innermost first. */
  readonly backtrace: readonly CrashFrame[];
  /** The input that led to the finding; null when there is none. */
  readonly input: CheckInput | null;
  readonly durationMs: number;
}

/** A defect that is not the failure of a call. */
export class Finding extends Error {
  constructor(
    readonly outcome: CheckOutcome,
    detail: string,
    readonly hint: string | null = null,
    /** The functions that have to do with it, innermost first. */
    readonly backtrace: readonly CrashFrame[] = [],
  ) {
    super(detail);
  }
}

/** A failed call, and the input that led to it. */
export class FailedInput extends Error {
  constructor(
    readonly reason: unknown,
    readonly input: CheckInput,
  ) {
    super(input.function);
  }
}

const OUTCOMES: Partial<Record<ErrorCode, CheckOutcome>> = {
  BW_PLUGIN_CRASHED: 'crashed',
  BW_PLUGIN_EXITED: 'crashed',
  BW_PLUGIN_VIOLATION: 'crashed',
  BW_PLUGIN_PROTOCOL: 'crashed',
  BW_PLUGIN_TIMEOUT: 'timeout',
  BW_PLUGIN_OVERLOADED: 'timeout',
};
const FAILURES: ReadonlySet<CheckOutcome> = new Set<CheckOutcome>(['failed', 'crashed', 'timeout']);

/** Whether the plugin is invalid because of this result. */
export function isFailure(outcome: CheckOutcome): boolean {
  return FAILURES.has(outcome);
}

/** Whether the check could not run. */
export function isUnchecked(outcome: CheckOutcome): boolean {
  return outcome === 'skipped' || outcome === 'unavailable';
}

/** Whether the result names something to correct. */
export function isFinding(outcome: CheckOutcome): boolean {
  return outcome === 'warning' || isFailure(outcome);
}

/** The outcome of a failed check, and a hint. */
export interface Verdict {
  readonly outcome: CheckOutcome;
  readonly hint: string | null;
}

export function judge(error: BackworksError): Verdict {
  return { outcome: OUTCOMES[error.code] ?? 'failed', hint: error.hint ?? null };
}

/** The evidence of a check during which no process failed. */
const NONE = { stderr: [], backtrace: [], input: null } as const;

/** The results of the checks of one library, in order. */
export class Report {
  readonly checks: ValidationCheck[] = [];
  /** Failures of processes, and the same failures with functions and source lines. */
  private readonly located = new Map<unknown, Promise<PluginFailure>>();

  /** @param progress called before each check with its name */
  constructor(private readonly progress: (name: string) => void) {}

  locate(failure: PluginFailure, located: Promise<PluginFailure>): void {
    this.located.set(failure, located);
  }

  get failed(): boolean {
    return this.checks.some(({ outcome }) => isFailure(outcome));
  }

  /** Adds a result without running a check. */
  note(name: string, outcome: CheckOutcome, detail: string, hint: string | null = null): void {
    this.checks.push({ name, outcome, detail, hint, ...NONE, durationMs: 0 });
  }

  /**
   * Runs one check and adds its result.
   * @param run resolves to the detail of a check that passed, or throws
   * @returns true if it passed
   */
  async check(name: string, run: () => Promise<string>, judgement = judge): Promise<boolean> {
    this.progress(name);
    const startedAtMs = performance.now();
    const took = (): number => performance.now() - startedAtMs;
    try {
      const detail = await run();
      this.checks.push({ name, outcome: 'passed', detail, hint: null, ...NONE, durationMs: took() });
      return true;
    } catch (thrown) {
      const durationMs = took();
      const input = thrown instanceof FailedInput ? thrown.input : null;
      const reason = thrown instanceof FailedInput ? thrown.reason : thrown;
      this.checks.push({ name, ...(await this.explain(reason, judgement)), input, durationMs });
      return false;
    }
  }

  private async explain(
    reason: unknown,
    judgement: typeof judge,
  ): Promise<Omit<ValidationCheck, 'name' | 'input' | 'durationMs'>> {
    if (reason instanceof Finding) {
      const { outcome, message, hint, backtrace } = reason;
      return { outcome, detail: message, hint, stderr: [], backtrace };
    }
    const error = toBackworksError((await this.located.get(reason)) ?? reason);
    const isProcess = error instanceof PluginFailure;
    return {
      ...judgement(error),
      detail: error.message,
      stderr: isProcess ? error.stderrTail : [],
      backtrace: isProcess ? error.backtrace : [],
    };
  }
}
