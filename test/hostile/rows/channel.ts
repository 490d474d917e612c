import { expect } from '@jest/globals';
import { eventually } from '../../fixtures/server.js';
import type { Ends, Observation, Row, Scene } from '../row.js';

const VALIDATOR = "the server's check of every frame";

function breaks(pattern: RegExp): Ends {
  return { kind: 'ends', outcome: 'protocol_error', code: 'BW_PLUGIN_PROTOCOL', pattern };
}

/** The runner sends no more lines than the rate allows, and reports how many bytes it dropped. */
async function logsWithoutPause({ server }: Scene): Promise<Observation> {
  const { body, status } = await server.get('/bad');
  const { lines } = body as { lines: number };
  const lineBytes = 48 + 64;
  expect(status).toBe(200);
  const kept = (): number => server.log.filter(({ message }) => /^x{48}$/.test(message)).length;
  const dropped = (): number =>
    server.log
      .map(({ message }) => /^(\d+) bytes of output dropped/.exec(message)?.[1])
      .reduce((sum, bytes) => sum + Number(bytes ?? 0), 0);
  const all = lines * lineBytes;
  await eventually(() => kept() * lineBytes + dropped() >= all, 'the report of all dropped bytes');
  expect(kept() * lineBytes + dropped()).toBe(all);
  expect(dropped()).toBeGreaterThan(all / 2);
  expect(server.plugin('hostile').failures).toEqual([]);
  return { outcome: 'answered', reported: 'the number of dropped bytes' };
}

/** Plugins that use the runner's connection to the server, which is open in their process. */
export const CHANNEL: readonly Row[] = [
  {
    id: 'H28',
    does: 'writes text where frames belong',
    fixture: 'h28_garbage',
    by: VALIDATOR,
    expected: breaks(/broke the runner protocol during process_endpoint: unknown frame type \d+/),
  },
  {
    id: 'H28',
    does: 'announces an answer of 4 GiB',
    fixture: 'h28_huge_length',
    by: `${VALIDATOR}, before any memory is allocated`,
    expected: breaks(/frame of 4294967295 bytes, at most 8388608 allowed/),
  },
  {
    id: 'H28',
    does: 'answers a call that was never made',
    fixture: 'h28_unknown_id',
    by: VALIDATOR,
    expected: breaks(/answer 1000000, expected \d+/),
  },
  {
    id: 'H28',
    does: 'answers its call with a frame of the wrong type',
    fixture: 'h28_out_of_state',
    by: VALIDATOR,
    entry: 'health: { interval: 0s }',
    expected: breaks(/frame type 66 as the answer of process_endpoint/),
  },
  {
    id: 'H29',
    does: "closes the runner's connection and answers",
    fixture: 'h29_close_channel',
    by: 'the runner, which ends when it cannot write',
    expected: {
      kind: 'course',
      run: async ({ server, pid }) => {
        // The answer was computed, so it is not lost with the process.
        expect(await server.get('/bad')).toMatchObject({ status: 200, body: { closed: 'ok' } });
        const pattern = /exited between calls: the connection to the runner failed/;
        await eventually(() => server.log.some(({ message }) => pattern.test(message)), 'the report');
        expect(server.plugin('hostile').failures).toEqual([
          expect.objectContaining({
            code: 'BW_PLUGIN_EXITED',
            outcome: 'exited',
            phase: 'idle',
            exitStatus: 74,
          }),
        ]);
        expect(server.plugin('hostile').processes).not.toContainEqual(expect.objectContaining({ pid }));
        return { outcome: 'answered; exited (74)', reported: '`BW_PLUGIN_EXITED` in idle' };
      },
    },
  },
  {
    id: 'H29',
    does: 'closes every descriptor and keeps running',
    fixture: 'h29_close_all',
    by: 'SIGKILL 200 ms after the end of the connection',
    expected: breaks(/broke the runner protocol during process_endpoint: it closed its connection/),
  },
  {
    id: 'H30',
    does: 'reads the commands meant for the runner',
    fixture: 'h30_steal_command',
    by: 'the deadline',
    callMs: 500,
    expected: {
      kind: 'ends',
      outcome: 'timeout',
      code: 'BW_PLUGIN_TIMEOUT',
      signal: 'SIGKILL',
      pattern: /stopped at its deadline during process_endpoint/,
    },
  },
  {
    id: 'H30',
    does: "floods the runner's connection with zeros",
    fixture: 'h30_flood',
    by: VALIDATOR,
    expected: breaks(/unknown frame type 0/),
  },
  {
    id: 'H30',
    does: "floods the runner's connection with log frames",
    fixture: 'h30_flood_logs',
    by: `${VALIDATOR}, which knows limits.log_rate`,
    expected: breaks(/more than 2621440 bytes of log frames in a second/),
  },
  {
    id: 'H30',
    does: "floods the runner's connection with metrics",
    fixture: 'h30_flood_metrics',
    by: `${VALIDATOR}, at most 200000 metrics a second and process`,
    expected: breaks(/more than 200000 METRIC frames in a second/),
  },
  {
    id: 'H30',
    does: 'logs through the host for a second without a pause',
    fixture: 'h30_flood_host_log',
    by: 'limits.log_rate, in the runner',
    expected: { kind: 'course', run: logsWithoutPause },
  },
  {
    id: 'H64',
    does: 'counts under ever new names',
    fixture: 'h64_counter_names',
    by: 'at most 100 counter names for a plugin',
    expected: { kind: 'answers', answer: { counted: 'ok' } },
    also: ({ server }) => {
      const warnings = server.log.filter(({ message }) => message.includes('counter names'));
      expect(warnings.map(({ message }) => message)).toEqual([
        'plugin hostile uses more than 100 counter names; name_100 and further names are not counted',
      ]);
    },
  },
];
