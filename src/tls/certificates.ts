import { isDeepStrictEqual } from 'node:util';
import type { SecureContext } from 'node:tls';
import type { ConfiguredFile, TlsConfig } from '../config/types.js';
import { toBackworksError } from '../errors.js';
import { type Log, silentLog } from '../log.js';
import { readAuthorities, readServerCertificate, type ServerCertificate } from './server-certificate.js';

/** A certificate with less time than this is warned about. Renewals usually happen 30 days before the end. */
const SOON_MS = 14 * 24 * 3600 * 1000;

interface Loaded {
  readonly certificates: readonly [ServerCertificate, ...ServerCertificate[]];
  readonly byHost: ReadonlyMap<string, ServerCertificate>;
}

/** The server's certificates, as their files were when they were last read without an error. */
export class Certificates {
  private changed = (): void => undefined;

  private constructor(
    readonly config: TlsConfig,
    private loaded: Loaded,
  ) {}

  /**
   * Reads and checks every file.
   * @throws BackworksError BW_SERVER_TLS, which names the file and its place in the configuration
   */
  static async open(config: TlsConfig): Promise<Certificates> {
    return new Certificates(config, await load(config));
  }

  /**
   * Reads the files again. If their content is the same, nothing happens. New connections get the new certificates; open connections continue. If a file cannot be
   * used, nothing changes.
   */
  async reload(log: Log = silentLog): Promise<void> {
    let loaded: Loaded;
    try {
      loaded = await load(this.config);
    } catch (thrown) {
      const { code, message } = toBackworksError(thrown);
      log.error({ code }, `certificates not changed, those that were read before stay in use: ${message}`);
      return;
    }
    // Other tickets would make every client repeat its handshake.
    if (isDeepStrictEqual(contentOf(loaded), contentOf(this.loaded))) return;
    this.loaded = loaded;
    this.changed();
    log.info({}, `certificates read again: ${this.summary()}`);
    for (const warning of this.warnings()) log.warn({}, warning);
  }

  /** Sets the only listener, which is called when reload() has changed the certificates. */
  onReload(listener: () => void): void {
    this.changed = listener;
  }

  /** The certificate for clients that ask for no known host. */
  get fallback(): ServerCertificate {
    return this.loaded.certificates[0];
  }

  /** @param host as the client sent it */
  contextFor(host: string): SecureContext {
    const { byHost } = this.loaded;
    const name = host.toLowerCase();
    const found = byHost.get(name) ?? byHost.get(`*${name.slice(name.indexOf('.'))}`);
    return (found ?? this.fallback).context;
  }

  /** The files, each once. */
  files(): string[] {
    const { certificates, clientCertificates } = this.config;
    const files = certificates.flatMap(({ certificate, key }): ConfiguredFile[] => [certificate, key]);
    if (clientCertificates !== null) files.push(clientCertificates.ca);
    return [...new Set(files.map(({ path }) => path))];
  }

  /** When the first of the certificates expires, in seconds since 1970. */
  get expiresAtSeconds(): number {
    return Math.min(...this.loaded.certificates.map(({ notAfter }) => notAfter.getTime())) / 1000;
  }

  /** One line for each certificate that clients refuse, or will refuse soon. */
  warnings(nowMs = Date.now()): string[] {
    return this.loaded.certificates.flatMap(({ notBefore, notAfter, config: { certificate } }) => {
      const say = (what: string): string => `${certificate.where}: ${certificate.path}: ${what}`;
      const [from, until] = [notBefore.toISOString(), notAfter.toISOString()];
      if (notAfter.getTime() <= nowMs) return say(`expired at ${until}, so clients refuse it — renew it`);
      if (notBefore.getTime() > nowMs) return say(`is not valid before ${from}, so clients refuse it`);
      return notAfter.getTime() - nowMs < SOON_MS ? say(`expires at ${until} — renew it`) : [];
    });
  }

  private summary(): string {
    return this.loaded.certificates
      .map(({ hosts, notAfter }) => `${hosts.join(' ')} until ${notAfter.toISOString()}`)
      .join(', ');
  }
}

function contentOf({ certificates }: Loaded): object {
  return certificates.map(({ options }) => options);
}

async function load(config: TlsConfig): Promise<Loaded> {
  const { clientCertificates, minVersion } = config;
  const ca = clientCertificates === null ? undefined : await readAuthorities(clientCertificates.ca);
  const options = { minVersion: `TLSv${minVersion}`, ca } as const;
  const [first, ...others] = config.certificates;
  const certificates: [ServerCertificate, ...ServerCertificate[]] = [
    await readServerCertificate(first, options),
  ];
  for (const other of others) certificates.push(await readServerCertificate(other, options));
  const byHost = new Map<string, ServerCertificate>();
  // An entry with hosts has been chosen by name; the first certificate only has the names that are left.
  for (const one of [...certificates.slice(1), certificates[0]])
    for (const host of one.hosts) if (!byHost.has(host)) byHost.set(host, one);
  return { certificates, byHost };
}
