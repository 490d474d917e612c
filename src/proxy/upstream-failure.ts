import { BackworksError } from '../errors.js';

/**
 * Why a target did not answer. connect: there was no connection, so it got nothing of the request. reset: the
 * connection ended without an answer. timeout: no answer in time. invalid: an answer that cannot be passed on.
 */
export type FailureKind = 'connect' | 'reset' | 'timeout' | 'invalid';

/** A target did not answer a request. What the client did wrong is a BackworksError instead. */
export class UpstreamFailure extends Error {
  /**
   * @param what what the target did, to be read after its name, such as `did not answer (ECONNREFUSED)`
   * @param isLate whether the target took too long
   */
  constructor(
    readonly kind: FailureKind,
    readonly what: string,
    { cause, isLate = kind === 'timeout' }: { readonly cause?: unknown; readonly isLate?: boolean } = {},
  ) {
    super(what, { cause });
    this.code = isLate ? 'BW_PROXY_TIMEOUT' : 'BW_PROXY_UPSTREAM';
  }

  private readonly code: 'BW_PROXY_TIMEOUT' | 'BW_PROXY_UPSTREAM';

  /** @param target how messages call the target */
  toError(target: string): BackworksError {
    return new BackworksError(this.code, `${target} ${this.what}`, { cause: this.cause ?? this });
  }
}
