import { unbracketed } from '../source/host.js';
import { below, displayPath, type Pointer } from '../source/pointer.js';
import { hookNames, hookPointer } from '../schema/endpoint-hooks.js';
import { pluginEntries, sandboxOf } from '../schema/plugin-entries.js';
import type { RawConfig, RawPlugin } from '../schema/raw.js';
import type { Permissions } from '../types.js';
import { parseSize } from '../source/units.js';

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** Limits that only the operating system enforces, and only for whole processes. */
const PROCESS_LIMITS = ['memory', 'open_files', 'threads', 'file_size', 'cpu_time', 'idle_cpu'] as const;

export interface Places {
  /** The location of the key at a pointer, as `file:line:column`. */
  readonly where: (pointer: Pointer) => string;
  /** True for a value from the file, false for a default. */
  readonly isGiven: (pointer: Pointer) => boolean;
}

type Warn = (pointer: Pointer, text: string) => void;

/** Warnings for settings that are valid but probably a mistake. */
export function warningsFor(raw: RawConfig, places: Places): string[] {
  const warnings: string[] = [];
  const warn: Warn = (pointer, text) =>
    void warnings.push(`${places.where(pointer)}: ${displayPath(pointer)}: ${text}`);
  for (const [name, plugin] of pluginEntries(raw.plugins)) {
    const pointer = below('/plugins', name);
    if (!plugin.enabled) continue;
    if (plugin.type === 'builtin' || plugin.type === 'marketplace') {
      warn(pointer, `${plugin.type} plugins are not supported by this version yet`);
      continue;
    }
    permissionWarnings(pointer, plugin, warn);
    limitWarnings(pointer, plugin, places, warn);
  }
  hookWarnings(raw, warn);
  const { admin, alerts } = raw;
  if (admin.enabled && admin.token === '' && !LOOPBACK.test(unbracketed(admin.host))) {
    warn(
      '/admin',
      'other machines can reach the admin API, and its token changes at each start — set admin.token',
    );
  }
  if (alerts.webhook.toLowerCase().startsWith('http:') && !LOOPBACK.test(hostOf(alerts.webhook))) {
    warn('/alerts/webhook', 'alerts and their headers travel unencrypted to another machine — use https');
  }
  return warnings;
}

function hookWarnings({ endpoints, plugins }: RawConfig, warn: Warn): void {
  const entries = new Map(pluginEntries(plugins));
  const listed = new Set<string>();
  for (const [name, endpoint] of Object.entries(endpoints)) {
    for (const [index, plugin] of hookNames(endpoint).entries()) {
      listed.add(plugin);
      if (entries.get(plugin)?.enabled === false)
        warn(hookPointer(name, index), `plugin ${plugin} is disabled, so requests pass without its hooks`);
    }
  }
  for (const [name, { enabled, hooks }] of entries) {
    if (enabled && hooks === 'endpoints' && !listed.has(name))
      warn(below(below('/plugins', name), 'hooks'), 'no endpoint lists the plugin, so its hooks never run');
  }
}

/** The host as a configuration writes it: an IPv6 address without brackets. */
function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}

function permissionWarnings(plugin: Pointer, raw: RawPlugin, warn: Warn): void {
  const inProcess = raw.isolation === 'in-process';
  if (inProcess && raw.permissions.network.fetch.length > 0) {
    const pointer = below(below(below(plugin, 'permissions'), 'network'), 'fetch');
    warn(pointer, 'has no effect: an in-process plugin has no http_fetch() — remove it');
  }
  if (sandboxOf(raw) !== 'off') return;
  if (!grantsAccess(raw.permissions) && !(inProcess && raw.permissions.env.length > 0)) return;
  const cause = inProcess ? 'isolation is in-process' : 'sandbox is off';
  warn(
    below(plugin, 'permissions'),
    `not enforced because ${cause}: the plugin can do everything that the server can`,
  );
}

/** `env` is left out: even without a sandbox, a process gets only the variables that are granted. */
function grantsAccess({ filesystem, network }: Permissions): boolean {
  const lists = [filesystem.read, filesystem.write, network.connect, network.listen];
  return network.udp || lists.some((list) => list.length > 0);
}

function limitWarnings(plugin: Pointer, raw: RawPlugin, { isGiven }: Places, warn: Warn): void {
  const limits = below(plugin, 'limits');
  if (raw.isolation === 'in-process') {
    for (const pointer of PROCESS_LIMITS.map((key) => below(limits, key)).filter(isGiven)) {
      warn(pointer, 'has no effect on an in-process plugin — remove it');
    }
    return;
  }
  const memory = parseSize(raw.limits.memory);
  const { memory: recycle } = raw.recycle;
  if (recycle === undefined || memory === 0 || parseSize(recycle) <= memory) return;
  const reason = 'above limits.memory: a growing process is killed before it is replaced';
  warn(below(below(plugin, 'recycle'), 'memory'), `${reason} — lower it`);
}
