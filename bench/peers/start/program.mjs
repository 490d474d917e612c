import { spawn } from 'node:child_process';

/**
 * Starts `ping_pong --answer` as Node starts programs, and waits for its first byte.
 * @returns `{ pid, end }`
 */
export async function startProgram(program) {
  const child = spawn(program, ['--answer'], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const channel = child.stdio[3];
  await new Promise((resolve, reject) => {
    channel.once('data', resolve);
    child.once('error', reject);
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid,
    end: () => {
      channel.destroy();
      return exited;
    },
  };
}
