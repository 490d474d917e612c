import { Missing } from './build.mjs';
import { PeerProcess } from './peer-process.mjs';

/**
 * Starts peers and keeps all of them running until `use` is done.
 * @param commands name → command line
 * @param open converts a peer's process, its name and its ready message into the function that measures it
 * @returns the result of `use` for the list of peers. A peer that cannot run here is `{ name, missing }`.
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

/** The command line of a script in bench/ that handles tasks. */
export function taskPeer(script, ...args) {
  return [process.execPath, `bench/${script}`, ...args];
}
