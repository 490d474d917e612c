import { type BackworksError, PluginFailure } from '../../errors.js';
import type { LimitsInForce, PostMortem } from './status.js';

/** The record of a failure that is kept for the operator. */
export function postMortem(failure: PluginFailure, time: Date, limits: LimitsInForce): PostMortem {
  const { code, message, phase, outcome, signal, exitStatus, at, systemCall, requestId } = failure;
  return {
    time,
    outcome,
    code,
    message,
    phase,
    signal: signal ?? null,
    exitStatus: exitStatus ?? null,
    at: at ?? null,
    backtrace: failure.backtrace,
    said: failure.said ?? null,
    systemCall: systemCall ?? null,
    requestId: requestId ?? null,
    stderr: failure.stderrTail,
    limits,
  };
}

/**
 * The same facts as fields of a log line, without empty fields.
 * @param limits the effective limits
 */
export function evidence(error: BackworksError, limits: LimitsInForce): object {
  if (!(error instanceof PluginFailure)) return {};
  const { phase, outcome, signal, exitStatus, at, said, systemCall, requestId, stderrTail } = error;
  const stderr = stderrTail?.length ? stderrTail : undefined;
  const backtrace = error.backtrace.length > 0 ? error.backtrace : undefined;
  return { phase, outcome, signal, exitStatus, at, backtrace, said, systemCall, requestId, stderr, limits };
}
