import type { SandboxReport, NativePluginOptions, SandboxOptions } from '../plugin.js';
import { observe, unenforceable } from './limits/observed-limits.js';
import { oneLine } from '../../printable.js';
import { noSandbox } from '../failures.js';
import type { GroupedProcess } from './child-process.js';

/** The settings of a SANDBOX frame; src/runner/sandbox/sandbox_policy.h says what each means. */
export function sandboxSettings(options: SandboxOptions, library: string): string[] {
  const { mode, permissions, memoryBytes, openFiles, fileSizeBytes } = options;
  const { filesystem, network } = permissions;
  return [
    `mode=${mode}`,
    `library=${library}`,
    `memory=${memoryBytes}`,
    `open_files=${openFiles}`,
    `file_size=${fileSizeBytes}`,
    `udp=${network.udp ? 1 : 0}`,
    ...filesystem.read.map((path) => `read=${path}`),
    ...filesystem.write.map((path) => `write=${path}`),
    ...network.connect.map((port) => `connect=${port}`),
    ...network.listen.map((port) => `listen=${port}`),
  ];
}

/**
 * What holds of a process, by its own word and by what the server can see of it.
 * @param ready the payload of READY: `mechanism=state` strings, `missing=reason` for what is not there
 * @throws PluginFailure BW_PLUGIN_SANDBOX under `strict`, when the server cannot keep it to a limit
 */
export function sandboxInForce(
  ready: string,
  { pid, memoryCgroup }: GroupedProcess,
  options: NativePluginOptions,
): SandboxReport {
  const { mode } = options.sandbox;
  const hasCgroup = 'maxBytes' in memoryCgroup;
  const seen = observe(pid, mode);
  const unseen = mode === 'off' ? [] : unenforceable(seen, options, hasCgroup);
  if (mode === 'strict' && unseen.length > 0) throw noSandbox(options.name, unseen.join('; '));
  const states = new Map<string, string>();
  const missing = [...unseen];
  for (const entry of ready.split('\0')) {
    const cut = entry.indexOf('=');
    if (cut <= 0) continue;
    const state = oneLine(entry.slice(cut + 1));
    if (entry.startsWith('missing=')) missing.push(state);
    else states.set(entry.slice(0, cut), state);
  }
  states.set('cgroup', hasCgroup ? `memory.max ${memoryCgroup.maxBytes}` : `none: ${memoryCgroup.missing}`);
  states.set('cpu_clock', seen.cpuClock ? '1' : '0');
  states.set('resident_memory', seen.residentMemory ? '1' : '0');
  const limits = {
    memoryBytes: amount(states.get('memory')),
    memoryCgroupBytes: hasCgroup ? memoryCgroup.maxBytes : 0,
    openFiles: amount(states.get('open_files')),
    fileSizeBytes: amount(states.get('file_size')),
    cpuClock: seen.cpuClock,
  };
  return { states: Object.fromEntries(states), missing, limits };
}

/** The number a state begins with; words about it may follow. */
function amount(state = ''): number {
  return Number(/^\d+/.exec(state)?.[0] ?? 0);
}
