import { cpus, release, type, availableParallelism, loadavg } from 'node:os';

/** What a reader needs to judge the figures; nothing that names a machine or its owner. */
export function machineFacts() {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    system: `${type()} ${release().replace(/^(\d+(?:\.\d+)*).*$/, '$1')}`,
    architecture: process.arch,
    node: process.versions.node,
    /** Processes that wanted to run in the minute before: well above 0 means a busy machine. */
    loadBefore: Number(loadavg()[0].toFixed(1)),
  };
}
