import type { PipedProcess, GroupedProcess, PipedSpawnOptions, SpawnOptions } from './child-process.js';
import { cgroupDelegation, memoryCgroup } from './limits/cgroup.js';
import { canChangeDirectory, spawnLinux, spawnPipedLinux } from './spawn-linux.js';
import { spawnPipedPortable, spawnPortable } from './spawn-portable.js';

const isLinux = process.platform === 'linux';
const spawnByPlatform = isLinux ? spawnLinux : spawnPortable;

/**
 * Starts a process with stdin from /dev/null, stdout and stderr as pipes and no other descriptor, in a
 * process group of its own.
 * @throws BackworksError BW_RUNNER_START when it cannot be created.
 */
export async function spawnPiped(options: PipedSpawnOptions): Promise<PipedProcess> {
  const byPlatform = isLinux && canChangeDirectory() ? spawnPipedLinux : spawnPipedPortable;
  return byPlatform(options);
}

/**
 * Starts a process with stdin from /dev/null, stdout and stderr as pipes, descriptors 3 and 6
 * for frames and 5 for services. Where the system allows cgroups, the process is in one of its own before
 * it gets its first frame.
 * @throws BackworksError BW_RUNNER_START when it cannot be created.
 */
export async function spawnProcess(options: SpawnOptions): Promise<GroupedProcess> {
  // Must come first: the server can claim a group only while it is alone in it.
  cgroupDelegation();
  const child = await spawnByPlatform(options);
  const group = memoryCgroup(options.memoryBytes, options.threads, child.pid);
  if (group === null) return { ...child, memoryCgroup: { missing: withoutCgroup(options.memoryBytes) } };
  const ended = child.ended.then((end) => {
    const outOfMemory = group.ranOutOfMemory();
    group.remove();
    return { ...end, outOfMemory };
  });
  return { ...child, memoryCgroup: { maxBytes: group.maxBytes }, ended };
}

function withoutCgroup(memoryBytes: number): string {
  const found = cgroupDelegation();
  if (memoryBytes === 0) return 'memory is unlimited';
  return 'missing' in found ? found.missing : 'it cannot be made';
}
