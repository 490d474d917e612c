import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from './statistics.mjs';

/*
 * Asks at a fixed rate, whether answers come or not, and takes each latency from the moment the request
 * was due: a server that pauses is charged for every request that should have come meanwhile
 * ("coordinated omission"), which a closed loop leaves out.
 * Arguments: URL, requests a second, seconds, connections. Prints `{p50, p99, p999, failed}` in µs.
 */
const [url, rate, seconds, connections] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const total = rate * seconds;
const latencies = new Float64Array(total);
let answered = 0;
let failed = 0;

function ask(dueMs) {
  return new Promise((resolve) => {
    const fail = () => {
      failed += 1;
      resolve();
    };
    const outgoing = request(url, { agent }, (incoming) => {
      incoming.resume().once('error', fail);
      incoming.once('end', () => {
        if (incoming.statusCode !== 200) return fail();
        latencies[answered++] = (performance.now() - dueMs) * 1000;
        return resolve();
      });
    });
    outgoing.once('error', fail).end();
  });
}

const all = [];
const began = performance.now() + 10;
for (let sent = 0; sent < total;) {
  const due = began + (sent / rate) * 1000;
  if (performance.now() < due) await pause(1);
  else {
    all.push(ask(due));
    sent += 1;
  }
}
await Promise.all(all);
agent.destroy();
const measured = latencies.subarray(0, answered);
const at = (share) => (answered === 0 ? null : percentile(measured, share));
process.stdout.write(`${JSON.stringify({ p50: at(0.5), p99: at(0.99), p999: at(0.999), failed })}\n`);
