import { BackworksError } from '../errors.js';

/** Why the server cannot listen on an address. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): BackworksError {
  const code = error.code ?? 'unknown error';
  const known = REASONS[code];
  const reason = known?.reason(host, port) ?? `cannot listen on ${host} port ${port} (${code})`;
  return new BackworksError('BW_SERVER_LISTEN', reason, { hint: known?.hint, cause: error });
}

const NO_NAME = {
  reason: (host: string) => `the host name ${host} has no address`,
  hint: 'use an IP address or a name that resolves',
};

const REASONS: Record<string, { reason: (host: string, port: number) => string; hint: string }> = {
  EADDRINUSE: {
    reason: (host, port) => `port ${port} of ${host} is in use by another program`,
    hint: 'stop that program or choose another port',
  },
  EACCES: {
    reason: (_host, port) => `this user may not listen on port ${port}`,
    hint: 'choose a port above 1023, or grant CAP_NET_BIND_SERVICE',
  },
  EADDRNOTAVAIL: {
    reason: (host) => `${host} is not an address of this machine`,
    hint: 'use 127.0.0.1, 0.0.0.0 or an address of this machine',
  },
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
};
