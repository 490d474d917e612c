import type { SwapRecord, VersionName } from '../entry/swap-record.js';

/** What is remembered of the versions of plugins. Everything rejects when it cannot be written. */
export interface VersionHistory {
  /** A record that cannot be read is an empty one. */
  read(plugin: string): Promise<PluginRecord>;
  /** Digests of every version any plugin of any configuration keeps. */
  kept(): Promise<Set<string>>;
  /** A version has begun to serve without a swap. @param keep versions that are remembered */
  serves(plugin: string, version: VersionName, keep: number): Promise<void>;
  /** What became of a swap. @param keep versions that are remembered */
  happened(plugin: string, record: SwapRecord, keep: number): Promise<void>;
}

/** What a process shares with others that answer the same requests with plugins of their own. */
export interface SharedVersions {
  readonly history: () => Promise<VersionHistory>;
  /** By plugin, the digest of the library the others run at this moment. */
  readonly serving: ReadonlyMap<string, string>;
  /**
   * Asked before a change that all are to make.
   * @param what the change leads to: the same for all
   * @returns resolves when all could make it
   * @throws BackworksError why one could not: then nobody does
   */
  readonly agree: (what: string) => Promise<void>;
}

/** A version that served. */
export interface KnownVersion {
  readonly digest: string;
  readonly version: string;
  /** When it last began to serve; ISO 8601. */
  readonly since: string;
}

/** A version that was taken back: only somebody who asks for it gets it again. */
export interface RefusedVersion {
  readonly digest: string;
  readonly reason: string;
  readonly since: string;
}

/** What is remembered of one plugin. */
export interface PluginRecord {
  /** The one that serves first, then those before it. */
  readonly versions: readonly KnownVersion[];
  readonly refused: readonly RefusedVersion[];
  /** Newest first. */
  readonly history: readonly SwapRecord[];
}
