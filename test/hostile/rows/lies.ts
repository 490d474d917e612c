import { expect } from '@jest/globals';
import { eventually } from '../../fixtures/server.js';
import { isGone } from '../left-over.js';
import type { Row } from '../row.js';
import { timedOut, usedUp } from './endings.js';

const by = "the kernel's CPU clock of the process, and the server's own record of open calls";
const callMs = 800;
/** limits.cpu_time stops these plugins long before their deadline. */
const cpuTime = { entry: 'limits: { cpu_time: 300ms }', by, expected: usedUp('0\\.3 s') };
const WARNING = /used more than 1 % of a core between calls for 10 s/;

/** Plugins that write false values to the page they share with the server. */
export const LIES: readonly Row[] = [
  {
    id: 'H61',
    does: 'computes and claims in the shared page that no call runs',
    fixture: 'h61_page_idle',
    ...cpuTime,
  },
  {
    id: 'H61',
    does: 'computes until its deadline and claims in the shared page that no call runs',
    fixture: 'h61_page_idle',
    callMs,
    by,
    expected: timedOut('while computing'),
  },
  {
    id: 'H61',
    does: 'sleeps and claims in the shared page that no call runs',
    fixture: 'h61_page_idle_sleeps',
    callMs,
    by,
    expected: timedOut('while waiting'),
  },
  {
    id: 'H61',
    does: 'computes and claims in the shared page that its call has just begun',
    fixture: 'h61_page_fresh',
    callMs,
    by,
    expected: timedOut('while computing'),
  },
  {
    id: 'H61',
    does: 'computes and claims in the shared page that other calls run',
    fixture: 'h61_page_other_call',
    ...cpuTime,
  },
  {
    id: 'H61',
    does: 'computes and fills the shared page with impossible values',
    fixture: 'h61_page_impossible',
    ...cpuTime,
  },
  {
    id: 'H61',
    does: 'computes on one of four threads and claims in the shared page that no call runs',
    fixture: 'h61_page_idle_threads',
    ...cpuTime,
    entry: 'limits: { cpu_time: 300ms, concurrency: 4 }',
  },
  {
    id: 'H61',
    does: 'computes on one of four threads until its deadline and claims in the shared page that no call runs',
    fixture: 'h61_page_idle_threads',
    entry: 'limits: { concurrency: 4 }',
    callMs,
    by,
    expected: timedOut('while computing'),
  },
  {
    id: 'H62',
    does: 'answers requests without a pause while its threads compute for ever',
    fixture: 'h62_burns_beside_calls',
    // So low that the threads exceed the limit on a busy machine too.
    entry: 'limits: { idle_cpu: 1% }',
    by: 'limits.idle_cpu, measured between calls',
    expected: {
      kind: 'course',
      run: async ({ server, pid }) => {
        let stopped = false;
        const ask = async (): Promise<void> => {
          while (!stopped) expect(await server.get('/bad')).toMatchObject({ status: 200 });
        };
        const traffic = [ask(), ask(), ask()];
        try {
          await eventually(() => pid !== null && isGone(pid), 'the end of the busy process', 40_000);
        } finally {
          stopped = true;
          await Promise.all(traffic);
        }
        const line = server.log.find(({ message }) => WARNING.test(message));
        expect(line).toMatchObject({ level: 'warn', fields: { plugin: 'hostile', pid } });
        return { outcome: 'answered; the process is replaced', reported: 'a warning with the CPU time' };
      },
    },
  },
];
