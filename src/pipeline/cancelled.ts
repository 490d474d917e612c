import { BackworksError } from '../errors.js';
import type { Caller } from '../plugins/plugin.js';

/** @throws BackworksError BW_REQUEST_CANCELLED when the client has disconnected */
export function refuseCancelled({ cancelled, id }: Caller): void {
  if (cancelled)
    throw new BackworksError('BW_REQUEST_CANCELLED', `the client of request ${id} has disconnected`);
}
