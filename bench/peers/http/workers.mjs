import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { childrenOf } from '../../children.mjs';
import { announce } from './announce.mjs';
import { configuration } from './configuration.mjs';

/**
 * `backworks start` with workers. Arguments: the list of plugins as JSON; the name of the plugin that answers;
 * the number of workers, above 1.
 */
const [plugins, answering, workers] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'backworks-bench-workers-'));
const file = join(folder, 'backworks.yaml');
writeFileSync(file, configuration(JSON.parse(plugins), answering, { workers: Number(workers) }));
const child = spawn(process.execPath, ['dist/cli/main.js', 'start', '--config', file], {
  stdio: ['ignore', 'pipe', 'inherit'],
  // Ctrl-C is handled by the run, which stops its peers itself.
  detached: true,
});
const exited = new Promise((resolve) => child.once('exit', resolve));
announce(await listening(), end, [child.pid, ...childrenOf(child.pid)]);

async function listening() {
  for await (const line of createInterface({ input: child.stdout })) {
    const { level, url, msg } = JSON.parse(line);
    if (url !== undefined) return url;
    if (level === 'error' || level === 'fatal') process.stderr.write(`backworks: ${level}: ${msg}\n`);
  }
  throw new Error('backworks start exited before it listened');
}

async function end() {
  child.stdout.resume();
  child.kill('SIGTERM');
  await exited;
  rmSync(folder, { recursive: true });
}
