import { inFlight, type Outcome, SupervisedPlugin } from '../native/pool/supervised-plugin.js';
import { expectThat, figure, title } from './report.js';

const IN_FLIGHT = 64;
const THREADS = 4;
/** Error codes of a call whose deadline passed before the call began. */
const WAITED: readonly string[] = ['BW_PLUGIN_OVERLOADED', 'BW_PLUGIN_UNAVAILABLE'];

/** Checks that no call runs twice and that an ended process costs only its running calls. */
export async function kills(crashes: number, kills: number, deadlines: number): Promise<void> {
  title(`${crashes + kills + deadlines} kills with ${IN_FLIGHT} calls in flight`);
  await crashesAndKills(crashes, kills, 1);
  await deadlineKills(deadlines);
  title(`${crashes + kills} kills with ${IN_FLIGHT} calls in flight, ${THREADS} threads in a process`);
  await crashesAndKills(crashes, kills, THREADS);
}

async function crashesAndKills(crashes: number, killsWanted: number, concurrency: number): Promise<void> {
  const library = concurrency === 1 ? 'supervised' : 'concurrent';
  const plugin = await SupervisedPlugin.open({ library, concurrency, options: { instances: 2 } });
  const started = performance.now();
  const killed = new Set<number>();
  let left = crashes;
  let done = false;
  const killing = (async () => {
    while (!done) {
      const victims = plugin.processes().filter(({ pid }) => !killed.has(pid));
      const victim = victims[Math.floor(Math.random() * victims.length)];
      if (victim !== undefined && killed.size < killsWanted) {
        killed.add(victim.pid);
        try {
          process.kill(victim.pid, 'SIGKILL');
        } catch {
          // The process has just ended by itself.
        }
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    }
  })();
  const outcomes: (Outcome & { readonly crash: boolean })[] = [];
  while (left > 0 || killed.size < killsWanted) {
    const batch = await inFlight(IN_FLIGHT, 500, async () => {
      const crash = left > 0 && Math.random() < 0.05;
      if (crash) left -= 1;
      // Some calls take longer, so that processes are also killed during calls.
      const action = Math.random() < 0.1 ? '/sleep' : '/ok';
      return { ...(await plugin.call(crash ? '/crash' : action, '2')), crash };
    });
    outcomes.push(...batch);
  }
  done = true;
  await killing;
  // With several threads, other calls run in the same process and are lost with it.
  const isLost = ({ error }: Outcome): boolean => concurrency > 1 && error?.code === 'BW_PLUGIN_UNAVAILABLE';
  const lost = outcomes.filter(isLost);
  const rest = outcomes.filter((outcome) => !isLost(outcome));
  const innocent = rest.filter(({ crash }) => !crash);
  const failed = innocent.filter(({ error }) => error !== null);
  const wrongly = failed.filter(({ id, error }) => error?.signal !== 'SIGKILL' || error.requestId !== id);
  figure('calls', `${outcomes.length} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  figure('processes crashed by the plugin / killed from outside', `${crashes} / ${killed.size}`);
  figure('calls running when their process was killed', String(failed.length));
  expectExecutions(plugin, outcomes);
  if (concurrency > 1) {
    figure('calls lost beside an ended call', String(lost.length));
    const ends = crashes + killed.size;
    expectThat(
      `at most ${concurrency - 1} other calls were lost per process`,
      lost.length <= ends * (concurrency - 1),
      '',
    );
  }
  expectThat('no other call failed', wrongly.length === 0, describe(wrongly));
  expectThat(
    'at most one call failed per kill',
    failed.length <= killed.size,
    `${failed.length}/${killed.size}`,
  );
  const mixedUp = innocent.filter(({ id, answer, error }) => error === null && answer !== `"${id}"`);
  expectThat('every answer belongs to its call', mixedUp.length === 0, String(mixedUp.length));
  const uncharged = rest.filter(({ crash, id, error }) => crash && error?.requestId !== id);
  // A process killed while it was about to crash is charged to the same call.
  expectThat('every crash is charged to the call that crashed', uncharged.length === 0, describe(uncharged));
  await plugin.close();
}

async function deadlineKills(wanted: number): Promise<void> {
  const plugin = await SupervisedPlugin.open({ callMs: 150, options: { instances: 4 } });
  const hangs: Outcome[] = [];
  const others: Outcome[] = [];
  const lane = async (): Promise<void> => {
    while (plugin.failures.length < wanted) {
      const [hang, ...rest] = await Promise.all([
        plugin.call('/hang'),
        ...Array.from({ length: 15 }, () => plugin.call('/ok')),
      ]);
      hangs.push(hang);
      others.push(...rest);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT / 16 }, lane));
  const codes = new Map<string, number>();
  for (const { error } of others) {
    const code = error?.code ?? 'answered';
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  figure('processes killed at a deadline', String(plugin.failures.length));
  figure('outcomes of the other calls', [...codes].map(([code, count]) => `${count} ${code}`).join(', '));
  expectExecutions(plugin, [...hangs, ...others]);
  const unstopped = hangs.filter(({ error }) => error === null);
  expectThat('no hanging call was answered', unstopped.length === 0, describe(unstopped));
  // Time in the queue counts: a call that waited behind a hanging call or for a process had no time left.
  // The answer of a call that ran just before the hanging call may be lost in the runner's batch of answers.
  const isLate = ({ id, error }: Outcome): boolean =>
    error?.code === 'BW_PLUGIN_TIMEOUT' && plugin.executed(id) === 1;
  const wrongly = others.filter(
    (call) => call.error !== null && !WAITED.includes(call.error.code) && !isLate(call),
  );
  expectThat(
    'other calls were answered, or refused before they began',
    wrongly.length === 0,
    describe(wrongly),
  );
  await plugin.close();
}

function expectExecutions(plugin: SupervisedPlugin, outcomes: readonly Outcome[]): void {
  const twice = outcomes.filter(({ id }) => plugin.executed(id) > 1);
  expectThat('no call was executed twice', twice.length === 0, `${twice.length} of ${outcomes.length}`);
  const lost = outcomes.filter(({ id, answer }) => answer !== null && plugin.executed(id) !== 1);
  expectThat('every answered call was executed once', lost.length === 0, String(lost.length));
}

function describe(outcomes: readonly Outcome[]): string {
  const texts = outcomes.map(({ error }) =>
    error === null ? 'answered' : `${error.code}: ${error.message}`,
  );
  return `${outcomes.length} ${[...new Set(texts)].slice(0, 3).join(' | ')}`;
}
