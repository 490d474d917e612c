import type { Caller } from '../plugins/plugin.js';
import { BackworksError } from '../errors.js';
import { createCaller } from '../profiling/documents.js';
import type { Child, Children } from './children.js';
import { Random } from './random.js';
import { FailedInput, Finding, type Report } from './report.js';
import { smallestInput } from './smallest-input.js';
import { INPUT_KINDS, type InputKind, type Target, type TargetAnswer, type TargetInput } from './target.js';

/** How much random input each function gets. */
export interface FuzzSettings {
  readonly seed: number;
  /** Random inputs for each function, when `seconds` is null. */
  readonly cases: number;
  /** How long each function gets random input; null to go by `cases`. */
  readonly seconds: number | null;
}

export interface FunctionParts {
  readonly children: Children;
  readonly report: Report;
  readonly fuzz: FuzzSettings;
  /** The deadline that a server would set for a call. */
  readonly deadlineMs: number;
  /** Requests are refused while the plugin fails. */
  readonly refuses: boolean;
  /** Only ordinary input. */
  readonly quick: boolean;
}

/** Number of calls with each ordinary input. Heap damage often shows only in a later call. */
const ROUNDS = 4;
/** A busy machine may make a function late that answers in time. */
const DEADLINE_ATTEMPTS = 3;
const NS_PER_MS = 1_000_000;
const KINDS: Readonly<Record<InputKind, string>> = {
  empty: 'empty and smallest documents',
  huge: 'documents as large as a server sends',
  nested: 'deeply nested documents',
  encoding: 'text that is not UTF-8, and all of Unicode',
  hostile: 'input of an attacker',
};

/** @returns whether ordinary input works, so that more can be measured */
export async function checkFunction(target: Target, parts: FunctionParts): Promise<boolean> {
  const { children, report } = parts;
  const { name } = target;
  const facts: OrdinaryFacts = { answered: false, failed: null, denied: null, fastestNs: new Map() };
  const works = await report.check(name, async () => {
    await children.within(async (child) => {
      await askOrdinary(child, target.ordinary, facts);
      // A machine that is busy for a moment must not make a plugin slow.
      await askOrdinary(child, slowInputs(facts, parts.deadlineMs), facts);
    });
    if (facts.failed !== null && !facts.answered) return `it calls fail(): ${facts.failed}`;
    return facts.answered ? 'a usable answer' : 'NULL';
  });
  if (!works) {
    report.note(`${name}: more input`, 'skipped', 'not called: it fails with ordinary input');
    return false;
  }
  noteDenial(facts.denied, parts);
  if (await isSlow(name, facts, parts)) {
    report.note(`${name}: more input`, 'skipped', 'not called: it is too slow with ordinary input');
    return false;
  }
  if (parts.quick) return true;
  for (const kind of INPUT_KINDS) {
    await report.check(`${name}: ${kind}`, async () => {
      const inputs = target.inputs(kind);
      await children.within((child) => askAll(child, inputs));
      return `${inputs.length} calls: ${KINDS[kind]}`;
    });
  }
  await fuzz(target, parts);
  return true;
}

interface OrdinaryFacts {
  /** The function answered at least one input. */
  answered: boolean;
  /** What it said when it called fail(). */
  failed: string | null;
  denied: number | null;
  /** The shortest time of a call with each input. */
  readonly fastestNs: Map<TargetInput, number>;
}

async function askOrdinary(
  child: Child,
  inputs: readonly TargetInput[],
  facts: OrdinaryFacts,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const input of inputs) {
      const caller = createCaller();
      const answer = await askOne(child, input, caller);
      if (answer instanceof BackworksError) facts.failed ??= answer.message;
      else {
        facts.denied ??= answer.denied;
        facts.answered ||= answer.text !== null;
      }
      const tookNs = caller.call?.ownNs ?? 0;
      facts.fastestNs.set(input, Math.min(tookNs, facts.fastestNs.get(input) ?? Infinity));
    }
  }
}

/**
 * @returns the answer, or the error when the plugin called fail()
 * @throws FailedInput when the call failed in another way
 */
export async function askOne(
  child: Child,
  input: TargetInput,
  caller: Caller = createCaller(),
): Promise<TargetAnswer | BackworksError> {
  // A process that failed between two calls has been replaced.
  if (child.failure !== null) throw child.failure;
  try {
    return await input.ask(child.plugin, caller);
  } catch (thrown) {
    if (thrown instanceof BackworksError && thrown.code === 'BW_PLUGIN_FAILED') return thrown;
    throw new FailedInput(thrown, input.describe(true));
  }
}

async function askAll(child: Child, inputs: readonly TargetInput[]): Promise<void> {
  for (const input of inputs) await askOne(child, input);
}

/** A plugin that denies requests should be critical. */
function noteDenial(status: number | null, { refuses, report }: FunctionParts): void {
  if (status === null || refuses) return;
  const detail = `before_request answers ${status}, and the plugin is not critical: when it fails, requests pass`;
  const hint = 'put "critical": true into the manifest, so that requests are refused while the plugin fails';
  report.note('critical', 'warning', detail, hint);
}

/** Inputs with which even the fastest call missed the deadline. */
function slowInputs({ fastestNs }: OrdinaryFacts, deadlineMs: number): TargetInput[] {
  return [...fastestNs].filter(([, ns]) => ns > deadlineMs * NS_PER_MS).map(([input]) => input);
}

/** Reports whether the function misses the deadline with the same ordinary input each time. */
async function isSlow(name: string, facts: OrdinaryFacts, parts: FunctionParts): Promise<boolean> {
  const { deadlineMs, report } = parts;
  const check = `${name}: deadline`;
  const slow = slowInputs(facts, deadlineMs);
  if (slow.length === 0) {
    report.note(check, 'passed', `ordinary input is answered within timeouts.call (${deadlineMs} ms)`);
    return false;
  }
  if (await looksAtDeadline(slow, parts)) {
    const detail = `it looks at the time that is left, and answers within timeouts.call (${deadlineMs} ms)`;
    report.note(check, 'passed', detail);
    return false;
  }
  const detail = `it took longer than timeouts.call (${deadlineMs} ms) in every call with the same input: a server would stop its process`;
  const hint = 'answer sooner, or put a larger max_execution_time_ms into the manifest';
  report.note(check, 'timeout', detail, hint);
  return true;
}

/**
 * Calls of a validation get more time than those of a server. A function that uses the time it has, and asks
 * deadline_left_ms(), is slow then and not in a server.
 */
async function looksAtDeadline(inputs: readonly TargetInput[], parts: FunctionParts): Promise<boolean> {
  for (const input of inputs) {
    let isInTime = false;
    for (let attempt = 0; attempt < DEADLINE_ATTEMPTS && !isInTime; attempt++)
      isInTime = await isAnsweredInTime(input, parts);
    if (!isInTime) return false;
  }
  return true;
}

async function isAnsweredInTime(
  input: TargetInput,
  { children, deadlineMs }: FunctionParts,
): Promise<boolean> {
  try {
    await children.withDeadline(deadlineMs).within((child) => askOne(child, input));
    return true;
  } catch (thrown) {
    const reason = thrown instanceof FailedInput ? thrown.reason : thrown;
    if (reason instanceof BackworksError && reason.code === 'BW_PLUGIN_TIMEOUT') return false;
    throw thrown;
  }
}

async function fuzz(target: Target, { children, report, fuzz: settings }: FunctionParts): Promise<void> {
  const { seed, cases, seconds } = settings;
  await report.check(`${target.name}: fuzz`, async () => {
    const random = new Random(seed, target.name);
    const endAtMs = seconds === null ? Infinity : performance.now() + seconds * 1000;
    try {
      await children.within(async (child) => {
        for (let made = 0; seconds === null ? made < cases : performance.now() < endAtMs; made++) {
          const input = target.random(random);
          if (input !== null) await asked(child, input);
        }
      });
    } catch (thrown) {
      if (!(thrown instanceof FailedRandom)) throw thrown;
      throw await smallestInput(thrown.input, thrown.reason, children);
    }
    return seconds === null
      ? `${cases} random inputs with seed ${seed}`
      : `random inputs for ${seconds} s with seed ${seed}`;
  });
}

/** A failed call with random input, which may have more in it than it needs. */
class FailedRandom extends Finding {
  constructor(
    readonly input: TargetInput,
    readonly reason: unknown,
  ) {
    super('failed', 'random input');
  }
}

async function asked(child: Child, input: TargetInput): Promise<void> {
  try {
    await askOne(child, input);
  } catch (thrown) {
    throw thrown instanceof FailedInput ? new FailedRandom(input, thrown.reason) : thrown;
  }
}
