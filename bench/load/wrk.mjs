import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../scripts/prerequisites.mjs';
import { Missing, output } from '../build.mjs';
import { interruption as signal } from '../interruption.mjs';

const execute = promisify(execFile);
const US = { us: 1, ms: 1000, s: 1_000_000 };

/**
 * wrk, a load generator that makes requests in a closed loop: each connection sends its next request when it
 * has its answer.
 * @param headers sent with each request, in addition to the headers of the program itself
 * @returns `load(url, connections, seconds, body)`, which posts the body if there is one. It resolves to
 *   `{ requests, answered, failed, p50, p99 }`: good answers per second and in total, the number of failed
 *   requests, and latency in microseconds, null without an answer.
 * @throws Missing
 */
export function loadGenerator(headers = {}) {
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const bound =
    (program) =>
    (...load) =>
      program(lines, ...load);
  if (findProgram('wrk') !== null) return bound(wrk);
  if (findProgram('autocannon') !== null) return bound(autocannon);
  throw new Missing('needs wrk (Debian: apt-get install wrk)');
}

async function wrk(lines, url, connections, seconds, body) {
  const script = body === undefined ? [] : ['-s', postScript(body)];
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...lines, ...script, url];
  const { stdout } = await execute('wrk', args, { signal });
  const number = (pattern) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const total = number(/(\d+) requests in/);
  const refused = number(/Non-2xx or 3xx responses: (\d+)/);
  const broken = (/Socket errors:.*/.exec(stdout)?.[0].match(/\d+/g) ?? []).map(Number);
  const latency = (share) => {
    const [, value, unit] = new RegExp(`^\\s+${share}%\\s+([\\d.]+)(us|ms|s)$`, 'm').exec(stdout) ?? [];
    return value === undefined ? null : Number(value) * US[unit];
  };
  const failed = broken.reduce((sum, count) => sum + count, refused);
  const answered = total - refused;
  const requests = number(/Requests\/sec:\s+([\d.]+)/) * (answered / Math.max(1, total));
  return { requests, answered, failed, p50: latency(50), p99: latency(99) };
}

/** wrk reads bodies from a script only. */
function postScript(body) {
  const file = join(output, `post-${body.length}.lua`);
  const lines = ['wrk.method = "POST"', `wrk.body = ${JSON.stringify(body)}`];
  writeFileSync(file, [...lines, 'wrk.headers["content-type"] = "application/json"', ''].join('\n'));
  return file;
}

async function autocannon(lines, url, connections, seconds, body) {
  const post = body === undefined ? [] : ['-m', 'POST', '-H', 'content-type=application/json', '-b', body];
  const args = [
    '--json',
    '--no-progress',
    '-c',
    String(connections),
    '-d',
    String(seconds),
    ...lines,
    ...post,
    url,
  ];
  const { stdout } = await execute('autocannon', args, { maxBuffer: 16 * 1024 * 1024, signal });
  const { requests, duration, latency, errors, non2xx } = JSON.parse(stdout);
  const answered = requests.total - non2xx;
  const [p50, p99] = [latency.p50 * US.ms, latency.p99 * US.ms];
  return { requests: answered / duration, answered, failed: errors + non2xx, p50, p99 };
}
