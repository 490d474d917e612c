import type { Isolation } from '../config/types.js';
import type { CircuitStateName } from '../execution/executor.js';
import type { NativeProcess } from '../native/native-plugin.js';
import type { PipelineHook } from './plugin.js';

/**
 * discovered: known, not loaded · loading · ready · degraded: serves, but something is wrong ·
 * failed: does not serve · stopped: shut down or disabled.
 */
export type PluginState = 'discovered' | 'loading' | 'ready' | 'degraded' | 'failed' | 'stopped';

/** Everything an operator can see of a plugin: the row of `plugin list`, the entry of the admin API. */
export interface PluginStatus {
  readonly name: string;
  readonly state: PluginState;
  /** Why it is in this state, when there is something to say. */
  readonly reason: string | null;
  /** When it entered the state. */
  readonly since: Date;
  /** 'config' for an explicit entry, 'discovered' for a library found in a directory. */
  readonly origin: 'config' | 'discovered';
  readonly type: 'external' | 'builtin' | 'marketplace';
  readonly path: string | null;
  /** Of the plugin's own metadata; null until it was read. */
  readonly version: string | null;
  readonly description: string | null;
  readonly hooks: readonly PipelineHook[];
  readonly isolation: Isolation;
  readonly critical: boolean;
  readonly priority: number;
  readonly circuit: CircuitStateName;
  readonly calls: Readonly<Record<string, { readonly calls: number; readonly failed: number }>>;
  readonly processes: readonly NativeProcess[];
}

/** A file in a plugin directory that is not a usable plugin. */
export interface RejectedLibrary {
  readonly path: string;
  readonly code: string;
  readonly reason: string;
  readonly hint: string | null;
}
