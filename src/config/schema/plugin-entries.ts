import type { RawConfig, RawPlugin } from './raw.js';
import type { SandboxMode } from '../types.js';

/** The plugin entries of a file, without `auto_discover`. */
export function pluginEntries(plugins: RawConfig['plugins']): [name: string, plugin: RawPlugin][] {
  const entries = Object.entries(plugins).filter(([name]) => name !== 'auto_discover');
  return entries as [string, RawPlugin][];
}

/** The effective sandbox: code inside the server has none. */
export function sandboxOf({ isolation, sandbox }: RawPlugin): SandboxMode {
  return isolation === 'in-process' ? 'off' : sandbox;
}
