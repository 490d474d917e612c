import { expect } from '@jest/globals';
import { eventually } from '../../fixtures/server.js';
import type { Row } from '../row.js';
import { isGone } from '../left-over.js';

/** So low that a thread exceeds the limit on a busy machine too. */
const IDLE_CPU = '1%';
const WARNING = /used more than 1 % of a core between calls for 10 s/;

/** Plugins that keep computing after they have answered. */
export const BACKGROUND: readonly Row[] = [
  {
    id: 'H39',
    does: 'leaves a thread behind that computes for ever',
    fixture: 'h39_background',
    entry: `limits: { idle_cpu: ${IDLE_CPU} }`,
    by: 'limits.idle_cpu, checked each second',
    expected: {
      kind: 'course',
      run: async ({ server, pid }) => {
        expect(await server.get('/bad')).toMatchObject({ status: 200, body: { left_a_thread: 'ok' } });
        await eventually(() => pid !== null && isGone(pid), 'the end of the busy process', 40_000);
        const line = server.log.find(({ message }) => WARNING.test(message));
        expect(line).toMatchObject({ level: 'warn', fields: { plugin: 'hostile', pid } });
        return { outcome: 'answered; the process is replaced', reported: 'a warning with the CPU time' };
      },
    },
  },
];
