import { type BackworksError, PluginFailure } from '../../errors.js';
import type { LimitsInForce, PostMortem } from './status.js';

/** What a failure leaves behind for the operator. */
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
    systemCall: systemCall ?? null,
    requestId: requestId ?? null,
    stderr: failure.stderrTail,
    limits,
  };
}

/**
 * The same for a log line; absent where there is nothing to say.
 * @param limits those in force
 */
export function evidence(error: BackworksError, limits: LimitsInForce): object {
  if (!(error instanceof PluginFailure)) return {};
  const { phase, outcome, signal, exitStatus, at, systemCall, requestId, stderrTail } = error;
  const stderr = stderrTail?.length ? stderrTail : undefined;
  return { phase, outcome, signal, exitStatus, at, systemCall, requestId, stderr, limits };
}
