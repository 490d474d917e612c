import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { announce } from './announce.mjs';

/** hono.mjs in several processes on one port, through node:cluster. Argument: the number of processes. */
const exec = fileURLToPath(new URL('hono-worker.mjs', import.meta.url));
cluster.setupPrimary({ exec, silent: false });
const workers = Array.from({ length: Number(process.argv[2]) }, () => cluster.fork());
const addresses = await Promise.all(workers.map(async (worker) => (await once(worker, 'listening'))[0]));
const pids = [process.pid, ...workers.map((worker) => worker.process.pid)];
announce(`http://127.0.0.1:${addresses[0].port}`, () => workers.forEach((worker) => worker.kill()), pids);
