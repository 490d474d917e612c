import { basename } from 'node:path';
import { type BackworksError, PluginFailure } from '../../errors.js';
import { placeWithFunction } from '../../native/crash-place.js';
import type { LimitsInForce, PostMortem } from '../registry/status.js';

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

/**
 * The failure with the function it happened in, as far as the library's symbols tell.
 * @param loaded path of the copy that was loaded
 * @param original path the operator knows it by
 * @returns `failure` itself when there is nothing to add; never rejects
 */
export async function withFunction(
  failure: PluginFailure,
  loaded: string,
  original: string,
): Promise<PluginFailure> {
  const { at, message, cause } = failure;
  if (at === undefined) return failure;
  const place = await placeWithFunction(at, loaded, basename(original));
  if (place === at) return failure;
  const text = message.replace(at, () => place);
  return new PluginFailure(failure.code, text, { ...failure, cause, at: place });
}
