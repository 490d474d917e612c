import type { SandboxOptions } from './native-plugin.js';
import { printable } from './plugin-output.js';

/** What the runner says holds after it tried its own sandbox. */
export interface SandboxReport {
  /** Mechanism to state, such as landlock: "7", seccomp: "1", uid: "65534". */
  readonly states: Readonly<Record<string, string>>;
  /** What could not be had, in words; empty under `strict`. */
  readonly missing: readonly string[];
}

/** The settings of a SANDBOX frame; src/runner/sandbox_policy.h says what each means. */
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
 * Reads the payload of READY: `mechanism=state` strings, `missing=reason` for what is not there.
 * @param cgroup what the server knows of the process's cgroup
 */
export function readSandboxReport(payload: string, cgroup?: string): SandboxReport {
  const states = new Map<string, string>();
  const missing: string[] = [];
  for (const entry of payload.split('\0')) {
    const cut = entry.indexOf('=');
    if (cut <= 0) continue;
    const state = printable(entry.slice(cut + 1));
    if (entry.startsWith('missing=')) missing.push(state);
    else states.set(entry.slice(0, cut), state);
  }
  if (cgroup !== undefined) states.set('cgroup', cgroup);
  return { states: Object.fromEntries(states), missing };
}
