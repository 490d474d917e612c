import type { TlsConfig } from '../config/types.js';
import type { Log } from '../log.js';
import { Certificates } from '../tls/certificates.js';
import { FileWatch } from './file-watch.js';

/** Certificates that are read again when one of their files changes. */
export class ServedCertificates {
  private readonly watches: FileWatch[];
  private reading: Promise<void> = Promise.resolve();

  private constructor(
    readonly certificates: Certificates,
    private readonly log: Log,
  ) {
    this.watches = certificates.files().map((file) => new FileWatch(file, () => void this.reload()));
  }

  /** @throws BackworksError BW_SERVER_TLS when a file cannot be used */
  static async open(config: TlsConfig, intervalMs: number, log: Log): Promise<ServedCertificates> {
    const served = new ServedCertificates(await Certificates.open(config), log);
    for (const warning of served.certificates.warnings()) log.warn({}, warning);
    await Promise.all(served.watches.map((watch) => watch.start(intervalMs)));
    return served;
  }

  /** Reads the files again. If a file cannot be used, nothing changes. Never rejects. */
  reload(): Promise<void> {
    return (this.reading = this.reading.then(() => this.certificates.reload(this.log)));
  }

  stop(): void {
    for (const watch of this.watches) watch.stop();
  }
}
