/** Starts a server with backworks.yaml, on free ports, for the tests. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));

/** The command of the npm package `backworks`, in this folder or one above it; otherwise the one in PATH. */
function backworks() {
  try {
    const manifest = createRequire(import.meta.url).resolve('backworks/package.json');
    return [process.execPath, join(dirname(manifest), 'dist/cli/main.js')];
  } catch {
    return ['backworks'];
  }
}

/** @returns the server's address, and a function that stops the server */
export async function startServer(env = {}) {
  const [program, ...args] = backworks();
  const ports = ['--set', 'server.port=0', '--set', 'admin.port=0'];
  const child = spawn(program, [...args, 'start', ...ports], {
    cwd: project,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  const url = await new Promise((resolve, reject) => {
    const read = (chunk) => {
      output += chunk;
      const found = /listening on (http:\/\/[\w.:]+)/.exec(output);
      if (found) resolve(found[1]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('close', () => reject(new Error(`the server did not start:\n${output}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url, stop };
}
