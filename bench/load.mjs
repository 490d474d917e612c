import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../scripts/prerequisites.mjs';
import { Missing } from './build.mjs';

const execute = promisify(execFile);
const US = { us: 1, ms: 1000, s: 1_000_000 };

/**
 * The program that makes requests from a process of its own, in a closed loop: each connection asks
 * again when it has its answer.
 * @returns `load(url, connections, seconds)`, which resolves to `{ requests, p50, p99 }`: requests per
 *   second and latency in microseconds
 * @throws Missing
 */
export function loadGenerator() {
  if (findProgram('wrk') !== null) return wrk;
  if (findProgram('autocannon') !== null) return autocannon;
  throw new Missing('needs wrk (Debian: apt-get install wrk)');
}

async function wrk(url, connections, seconds) {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url];
  const { stdout } = await execute('wrk', args);
  const errors = /Socket errors:.*|Non-2xx.*/.exec(stdout);
  if (errors !== null) throw new Error(`${url}: ${errors[0]}`);
  const latency = (share) => {
    const [, value, unit] = new RegExp(`^\\s+${share}%\\s+([\\d.]+)(us|ms|s)$`, 'm').exec(stdout);
    return Number(value) * US[unit];
  };
  const requests = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]);
  return { requests, p50: latency(50), p99: latency(99) };
}

async function autocannon(url, connections, seconds) {
  const args = ['--json', '--no-progress', '-c', String(connections), '-d', String(seconds), url];
  const { stdout } = await execute('autocannon', args, { maxBuffer: 16 * 1024 * 1024 });
  const { requests, duration, latency, errors, non2xx } = JSON.parse(stdout);
  if (errors + non2xx > 0) throw new Error(`${url}: ${errors} errors, ${non2xx} answers other than 2xx`);
  return { requests: requests.total / duration, p50: latency.p50 * US.ms, p99: latency.p99 * US.ms };
}
