import { below } from './pointer.js';
import { pluginEntries, type RawConfig } from './raw.js';

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** What loads but is probably not what the operator wants; `where` gives `file:line:column`. */
export function warningsFor(raw: RawConfig, where: (pointer: string) => string): string[] {
  const warnings: string[] = [];
  for (const [name, plugin] of pluginEntries(raw.plugins)) {
    if (!plugin.enabled || (plugin.type !== 'builtin' && plugin.type !== 'marketplace')) continue;
    const place = where(below('/plugins', name));
    warnings.push(`${place}: plugins.${name}: ${plugin.type} plugins cannot be served by this version yet`);
  }
  const { admin } = raw;
  if (admin.enabled && admin.token === '' && !LOOPBACK.test(admin.host)) {
    const reach = 'admin: anyone who reaches its address can read it';
    warnings.push(`${where('/admin')}: ${reach} — set admin.token`);
  }
  return warnings;
}
