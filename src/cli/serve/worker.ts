/** The program of a worker process, used when `server.workers` is above 1. See src/cluster/. */
import { serveWorker } from '../../cluster/serve.js';
import type { Log } from '../../log.js';
import { endOnDefects } from './defects.js';
import { EXIT } from '../../errors.js';
import { createLogger, type ServerLog } from '../terminal/logger.js';
import { createScreen } from '../terminal/screen.js';
import { ignoreStopSignals } from '../command/signals.js';

ignoreStopSignals();
const out = createScreen(process.stdout, process.env);
const err = createScreen(process.stderr, process.env);
let log: ServerLog | null = null;
endOnDefects(
  { fatal: (fields, message) => log?.fatal(fields, message) },
  { out, err, json: false, verbose: true },
);

await serveWorker({
  environment: process.env,
  createLog: (worker, logging): Log & { level: string } => (log = createLogger(logging, out, { worker })),
});
process.exit(EXIT.ok);
