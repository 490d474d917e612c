import type { SwapRecord, VersionName } from '../entry/swap-record.js';

/** The recorded versions and swaps of plugins. Every method rejects when the record cannot be read or written. */
export interface VersionHistory {
  /** Reads the record of a plugin; an unreadable one counts as empty. */
  read(plugin: string): Promise<PluginRecord>;
  /** Digests of all versions that are kept, for every plugin of every configuration. */
  kept(): Promise<Set<string>>;
  /** Records that a version began to serve without a swap. @param keep number of versions to keep */
  recordServing(plugin: string, version: VersionName, keep: number): Promise<void>;
  /** Records the result of a swap. @param keep number of versions to keep */
  recordSwap(plugin: string, record: SwapRecord, keep: number): Promise<void>;
}

/** What a worker shares with the other workers, each of which has its own plugin processes. */
export interface SharedVersions {
  readonly history: () => Promise<VersionHistory>;
  /** Plugin name → digest of the library that the other workers run now. */
  readonly serving: ReadonlyMap<string, string>;
  /**
   * Called before a change that all workers make together.
   * @param what the result of the change; equal in all workers
   * @returns resolves when every worker is ready for the change
   * @throws BackworksError the reason one worker is not; no worker makes the change then
   */
  readonly agree: (what: string) => Promise<void>;
}

/** A version that served. */
export interface KnownVersion {
  readonly digest: string;
  readonly version: string;
  /** When the version last began to serve; ISO 8601. */
  readonly since: string;
}

/** A version that was rolled back. It starts again only on an explicit command. */
export interface RefusedVersion {
  readonly digest: string;
  readonly reason: string;
  readonly since: string;
}

/** The record of one plugin. */
export interface PluginRecord {
  /** The serving version first, then the earlier ones. */
  readonly versions: readonly KnownVersion[];
  readonly refused: readonly RefusedVersion[];
  /** Newest first. */
  readonly history: readonly SwapRecord[];
}
