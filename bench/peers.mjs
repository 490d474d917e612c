import { Missing } from './build.mjs';
import { PeerProcess } from './peer-process.mjs';

/**
 * Starts peers, all of which live until `use` is done.
 * @param commands name → command line
 * @param open makes of a peer's process, its name and what it said when it was ready what measures it
 * @returns what `use` gives for the list of peers; one that cannot run here is `{ name, missing }`
 */
export async function withPeers(commands, open, use) {
  const processes = [];
  const start = async (name, command) => {
    try {
      const process = new PeerProcess(command());
      processes.push(process);
      const ready = await process.answer();
      return { measure: await open(process, name, ready) };
    } catch (error) {
      if (error instanceof Missing) return { missing: error.message };
      throw error;
    }
  };
  try {
    const peers = [];
    for (const [name, command] of Object.entries(commands)) {
      const peer = await start(name, command);
      peers.push({ name, ...peer });
    }
    return await use(peers);
  } finally {
    await Promise.all(processes.map((process) => process.end()));
  }
}

/** The command line of a script of bench/ that serves tasks. */
export function taskPeer(script, ...args) {
  return [process.execPath, `bench/${script}`, ...args];
}
