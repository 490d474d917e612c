import type { SandboxReport, NativePluginOptions, SandboxOptions } from '../plugin.js';
import { observe, unenforceable } from './limits/observed-limits.js';
import { oneLine } from '../../printable.js';
import { noSandbox } from '../failures.js';
import type { GroupedProcess } from './child-process.js';

/** More processes than one plugin has at once: workers, spares, and as many that drain. */
const PROCESSES_MAX = 256;
const INT32_MAX = 2 ** 31 - 1;

/** The settings of a SANDBOX frame; src/runner/sandbox/sandbox_policy.h says what each means. */
export function sandboxSettings(options: SandboxOptions, library: string): string[] {
  const { mode, permissions, memoryBytes, openFiles, fileSizeBytes, threads, user } = options;
  const { filesystem, network } = permissions;
  return [
    `mode=${mode}`,
    `library=${library}`,
    `memory=${memoryBytes}`,
    `open_files=${openFiles}`,
    `file_size=${fileSizeBytes}`,
    `threads=${threads}`,
    ...(user === null ? [] : [`user=${user.id}`]),
    ...(user?.isOwn === true ? [`user_threads=${Math.min(threads * PROCESSES_MAX, INT32_MAX)}`] : []),
    `udp=${network.udp ? 1 : 0}`,
    ...filesystem.read.map((path) => `read=${path}`),
    ...filesystem.write.map((path) => `write=${path}`),
    ...network.connect.map((port) => `connect=${port}`),
    ...network.listen.map((port) => `listen=${port}`),
  ];
}

/**
 * The state of a process's sandbox: the runner's report, and what the server itself can observe.
 * @param ready the payload of READY: `mechanism=state` strings, and `missing=reason` for missing ones
 * @throws PluginFailure BW_PLUGIN_SANDBOX under `strict`, when the server cannot enforce a limit
 */
export function sandboxInForce(
  ready: string,
  { pid, memoryCgroup }: GroupedProcess,
  options: NativePluginOptions,
): SandboxReport {
  const { mode, user } = options.sandbox;
  const hasCgroup = 'maxBytes' in memoryCgroup;
  const { states, missing } = readReady(ready);
  const seen = observe(pid, mode);
  const kernel = { memory: hasCgroup, threads: amount(states.get('threads')) > 0 };
  const unenforced = mode === 'off' ? [] : unenforceable(seen, options, kernel);
  if (mode !== 'off' && typeof user?.missing === 'string') unenforced.push(user.missing);
  if (mode === 'strict' && unenforced.length > 0) throw noSandbox(options.name, unenforced.join('; '));
  missing.unshift(...unenforced);
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

function readReady(ready: string): { states: Map<string, string>; missing: string[] } {
  const states = new Map<string, string>();
  const missing: string[] = [];
  for (const entry of ready.split('\0')) {
    const cut = entry.indexOf('=');
    if (cut <= 0) continue;
    const state = oneLine(entry.slice(cut + 1));
    if (entry.startsWith('missing=')) missing.push(state);
    else states.set(entry.slice(0, cut), state);
  }
  return { states, missing };
}

/** The number at the start of a state; an explanation may follow. */
function amount(state = ''): number {
  return Number(/^\d+/.exec(state)?.[0] ?? 0);
}
