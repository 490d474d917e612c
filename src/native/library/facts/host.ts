/** The properties of a machine that decide whether a library can run on it. */
export interface Host {
  /** As `process.platform`. */
  readonly platform: NodeJS.Platform;
  /** As `process.arch`. */
  readonly arch: string;
  /** glibc this process runs on, such as "2.36"; null where there is none. */
  readonly glibcVersion: string | null;
}

let glibcVersion: string | null | undefined;

/** The machine this process runs on. */
export const THIS_HOST: Host = {
  platform: process.platform,
  arch: process.arch,
  get glibcVersion() {
    return (glibcVersion ??= readGlibcVersion());
  },
};

/** excludeNetwork, because otherwise the report resolves every network address, which can take seconds. */
function readGlibcVersion(): string | null {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  try {
    report.excludeNetwork = true;
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return header?.glibcVersionRuntime ?? null;
  } finally {
    if (before !== undefined) report.excludeNetwork = before;
  }
}
