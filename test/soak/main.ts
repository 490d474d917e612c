/** `npm run test:soak -- --minutes N`: traffic while processes are killed. Ctrl-C ends the run early and prints the figures. */
import { childrenOf, openDescriptors, residentBytes } from '../supervision/processes.js';
import { allHeld, expectThat, figure, mebibytes, title } from '../supervision/report.js';
import { Chaos } from './chaos.js';
import { SoakServer } from './server.js';
import { Traffic } from './traffic.js';
import { Verdict } from './verdict.js';

const CALL_MS = 1000;
const WARM_UP_MS = 10_000;
const PROGRESS_MS = 10_000;
const RECOVERY_LIMIT_MS = 30_000;
const PROCESSES = 6;
const RESIDENT_GROWTH_MAX = 64 * 1024 * 1024;
const DESCRIPTORS_MORE_MAX = 4;

const minutes = readMinutes(process.argv.slice(2));
let interrupted = false;
let wake = (): void => undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = true;
    wake();
  });
}

const server = await SoakServer.start(CALL_MS);
try {
  await soak();
} finally {
  const code = await server.stop();
  expectThat('the server exited with 0 on SIGTERM', code === 0, `exit code ${code}`);
}
process.exitCode = allHeld() ? 0 : 1;

async function soak(): Promise<void> {
  let chaos: Chaos | null = null;
  const verdict = new Verdict(() => chaos as Chaos, CALL_MS);
  const traffic = new Traffic(server.url, (failure) =>
    chaos === null
      ? verdict.note(`before any chaos: ${failure.path} ${failure.code}`)
      : verdict.judge(failure),
  );
  title(`Soak for ${minutes} minutes`);
  await pause(WARM_UP_MS);
  const before = await atRest();
  chaos = new Chaos(server, (what) => verdict.note(what));
  const started = performance.now();
  while (!interrupted && server.isRunning) {
    const leftMs = minutes * 60_000 - (performance.now() - started);
    if (leftMs <= 0) break;
    await pause(Math.min(PROGRESS_MS, leftMs));
    progress(started, traffic, chaos, verdict);
  }
  await chaos.stop();
  const after = await atRest();
  await traffic.stop();

  title('Result');
  const { killed, stopped, corrupted } = chaos.counts;
  figure('requests', String(traffic.requests));
  figure('killed / stopped / sent garbage', `${killed} / ${stopped} / ${corrupted}`);
  figure('answers without the optional hook', String(traffic.hooksSkipped));
  figure('calls lost with a killed process', `${verdict.crashed} of ${chaos.weatherKills} kills`);
  figure('late calls while a process was stopped', String(verdict.late));
  for (const text of verdict.kept) figure('unexpected', text);
  expectThat('no unexpected failures', verdict.unexpected === 0, String(verdict.unexpected));
  compare(before, after);
}

function compare(before: Rest, after: Rest): void {
  const memory = `${mebibytes(before.resident)} → ${mebibytes(after.resident)}`;
  expectThat('memory of the server', after.resident - before.resident <= RESIDENT_GROWTH_MAX, memory);
  const runners = `${mebibytes(before.ofRunners)} → ${mebibytes(after.ofRunners)}`;
  expectThat('memory of the runners', after.ofRunners <= before.ofRunners * 1.5, runners);
  const descriptors = `${before.descriptors} → ${after.descriptors}`;
  expectThat('descriptors', after.descriptors <= before.descriptors + DESCRIPTORS_MORE_MAX, descriptors);
  expectThat('processes', after.children === before.children, `${before.children} → ${after.children}`);
  expectThat('zombies', after.zombies === 0, String(after.zombies));
}

interface Rest {
  readonly resident: number;
  readonly ofRunners: number;
  readonly descriptors: number;
  readonly children: number;
  readonly zombies: number;
}

/** Resources of the server once every plugin has its process and its spare. Traffic continues. */
async function atRest(): Promise<Rest> {
  const until = performance.now() + RECOVERY_LIMIT_MS;
  while (performance.now() < until) {
    const states = (await server.runners().catch(() => [])).map(({ state }) => state);
    const settled = states.every((state) => state === 'ready' || state === 'spare');
    if (settled && states.length === PROCESSES && isAwake()) break;
    await pause(100);
  }
  const children = childrenOf(server.pid);
  return {
    resident: residentBytes(server.pid),
    ofRunners: children.reduce((sum, { pid }) => sum + residentBytes(pid), 0),
    descriptors: openDescriptors(server.pid),
    children: children.length,
    zombies: children.filter(({ state }) => state === 'Z').length,
  };
}

/** False while a stopped runner is left. Without calls, the server finds it by a health check. */
function isAwake(): boolean {
  return childrenOf(server.pid).every(({ state }) => state !== 'T' && state !== 'Z');
}

function progress(started: number, traffic: Traffic, { counts }: Chaos, verdict: Verdict): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(6);
  const memory = server.isRunning ? mebibytes(residentBytes(server.pid)) : 'ended';
  const chaos = `${counts.killed} killed, ${counts.stopped} stopped, ${counts.corrupted} corrupted`;
  const failed = `${verdict.crashed + verdict.late} expected, ${verdict.unexpected} unexpected failures`;
  process.stdout.write(`${seconds} s  ${traffic.requests} requests, ${chaos}; ${failed}; ${memory}\n`);
}

async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, interrupted ? Math.min(ms, 100) : ms);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

function readMinutes(args: readonly string[]): number {
  const at = args.indexOf('--minutes');
  const value = at < 0 ? 10 : Number(args[at + 1]);
  if (!(value > 0)) throw new Error('usage: npm run test:soak -- --minutes N');
  return value;
}
