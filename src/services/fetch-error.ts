/** Why a request of a plugin has no response; the plugin reads the message. */
export class FetchError extends Error {
  override name = 'FetchError';

  /** @param refusedOrigin the origin that is not granted, when that is the reason */
  constructor(
    message: string,
    readonly refusedOrigin: string | null = null,
  ) {
    super(message);
  }
}
