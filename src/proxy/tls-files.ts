import { readFileSync } from 'node:fs';
import type { ProxyTlsConfig } from '../config/proxy-types.js';
import { BackworksError } from '../errors.js';

/** The contents of the files that `proxy.tls` names. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** @throws BackworksError BW_CONFIG_INVALID when a file cannot be read */
export function readTlsFiles(endpoint: string, { ca, certificate, key }: ProxyTlsConfig): TlsFiles {
  const read = (name: string, path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
      const message = `endpoint ${endpoint}: proxy.tls.${name} cannot be read: ${path} (${code})`;
      throw new BackworksError('BW_CONFIG_INVALID', message, { cause });
    }
  };
  return {
    ...(ca === null ? undefined : { ca: read('ca', ca) }),
    ...(certificate === null ? undefined : { cert: read('certificate', certificate) }),
    ...(key === null ? undefined : { key: read('key', key) }),
  };
}
