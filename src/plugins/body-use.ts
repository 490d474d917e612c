import type { RequestBodyUse, ResponseBodyUse, WantedBodies } from '../config/types.js';

/** The bodies that the hooks of a plugin need. process_endpoint always gets the body of the request. */
export interface BodyUse {
  /** For before_request. */
  readonly request: RequestBodyUse;
  /** For after_response. */
  readonly response: ResponseBodyUse;
}

/** The file first, then the manifest, then the default, for each direction. */
export function resolveBodyUse(file: WantedBodies, manifest: WantedBodies | undefined): BodyUse {
  return {
    request: file.request ?? manifest?.request ?? 'buffer',
    response: file.response ?? manifest?.response ?? 'auto',
  };
}

const STRENGTH: Readonly<Record<ResponseBodyUse, number>> = { none: 0, auto: 1, buffer: 2 };

/** The strongest of two needs. It applies when several plugins see a response. */
export function strongest(a: ResponseBodyUse, b: ResponseBodyUse): ResponseBodyUse {
  return STRENGTH[a] >= STRENGTH[b] ? a : b;
}
