import { expect } from '@jest/globals';
import type { ErrorCode, PluginOutcome } from '../../../dist/errors.js';
import { eventually } from '../../fixtures/server.js';
import type { Course, Ends, Observation, Row, Scene } from '../row.js';

const BUDGETS = 'the budget of each frame type';
const BACK_PRESSURE = 'back-pressure';
/** The plugin knows the number of the first request's call only if no health check came before. */
const NO_HEALTH_CHECKS = 'health: { interval: 0s }';
const PRINTED_BYTES_MIN = 1024 * 1024;

/** The hook answers; then the process ends because of a thread that the hook left behind. */
function endsLater(code: ErrorCode, outcome: PluginOutcome, pattern: RegExp): Course {
  return {
    kind: 'course',
    run: async ({ server, pid }) => {
      expect(await server.get('/bad')).toMatchObject({ status: 200, body: { left_a_thread: 'ok' } });
      await eventually(() => server.plugin('hostile').failures.length > 0, 'the post-mortem', 20_000);
      const { failures } = server.plugin('hostile');
      expect(failures).toMatchObject([
        { code, outcome, phase: 'idle', message: expect.stringMatching(pattern) },
      ]);
      const line = server.log.find(({ level, message }) => level === 'error' && pattern.test(message));
      expect(line?.fields).toMatchObject({ plugin: 'hostile', code, outcome, phase: 'idle' });
      expect(server.plugin('hostile').processes).not.toContainEqual(expect.objectContaining({ pid }));
      return { outcome: `answered; ${outcome}`, reported: `\`${code}\` in idle` };
    },
  };
}

/** The plugin prints without end. The process keeps running, and the server reports how much it dropped. */
function printsOn(): Course {
  return {
    kind: 'course',
    run: async ({ server, pid }: Scene) => {
      expect(await server.get('/bad')).toMatchObject({ status: 200, body: { left_a_thread: 'ok' } });
      const dropped = (): number =>
        server.log
          .map(({ message }) => /^(\d+) bytes of output dropped/.exec(message)?.[1])
          .reduce((sum, bytes) => sum + Number(bytes ?? 0), 0);
      await eventually(() => dropped() > PRINTED_BYTES_MIN, 'the report of dropped bytes', 20_000);
      expect(server.plugin('hostile').failures).toEqual([]);
      expect(server.plugin('hostile').processes).toContainEqual(expect.objectContaining({ pid }));
      return { outcome: 'answered', reported: 'the number of dropped bytes' };
    },
  };
}

/** The forged answer is refused; then the runner's own answer to the same call arrives. */
async function answersFalsely({ server }: Scene): Promise<Observation> {
  const refused = { code: 'BW_PLUGIN_BAD_RESPONSE', detail: expect.stringMatching(/the answer is not JSON/) };
  expect(await server.get('/bad')).toMatchObject({ status: 502, body: refused });
  await eventually(() => server.plugin('hostile').failures.length > 1, 'the second post-mortem');
  const outcomes = server.plugin('hostile').failures.map(({ outcome }) => outcome);
  expect(outcomes.sort()).toEqual(['bad_response', 'protocol_error']);
  return {
    outcome: 'answer refused (502); protocol_error',
    reported: '`BW_PLUGIN_BAD_RESPONSE` in process_endpoint, the reason',
  };
}

function breaks(pattern: RegExp): Ends {
  return { kind: 'ends', outcome: 'protocol_error', code: 'BW_PLUGIN_PROTOCOL', pattern };
}

/** Plugins that send more frames than a runner would, or print without end. */
export const FRAME_BUDGETS: readonly Row[] = [
  {
    id: 'H56',
    does: 'sends crash reports without a pause, and does not crash',
    fixture: 'h56_crash_reports',
    by: `${BUDGETS}: a crash report is the last frame`,
    expected: endsLater('BW_PLUGIN_CRASHED', 'crashed', /reported a crash by .* and kept running/),
  },
  {
    id: 'H56',
    does: 'sends one crash report, and does not crash',
    fixture: 'h56_one_crash_report',
    by: 'SIGKILL one second after the crash report',
    expected: endsLater('BW_PLUGIN_CRASHED', 'crashed', /reported a crash by SIGSEGV .* and kept running/),
  },
  {
    id: 'H57',
    does: 'prints without end from a thread',
    fixture: 'h57_floods_stdout',
    by: `limits.log_rate, and ${BACK_PRESSURE}`,
    expected: printsOn(),
  },
  {
    id: 'H57',
    does: 'writes to stderr without end from a thread',
    fixture: 'h57_floods_stderr',
    by: `limits.log_rate, and ${BACK_PRESSURE}`,
    expected: printsOn(),
  },
  {
    id: 'H57',
    does: 'prints byte by byte without end from a thread',
    fixture: 'h57_prints_bytes',
    by: `limits.log_rate, and ${BACK_PRESSURE}`,
    expected: printsOn(),
  },
  {
    id: 'H58',
    does: 'sends frames of an unknown type while no hook runs',
    fixture: 'h58_unknown_frames',
    by: "the server's check of every frame",
    expected: endsLater('BW_PLUGIN_PROTOCOL', 'protocol_error', /unknown frame type 76/),
  },
  {
    id: 'H58',
    does: 'answers while no hook runs',
    fixture: 'h58_answers_unasked',
    by: "the server's check of every frame",
    expected: endsLater('BW_PLUGIN_PROTOCOL', 'protocol_error', /answer 5, but no call is in flight/),
    entry: NO_HEALTH_CHECKS,
  },
  {
    id: 'H58',
    does: 'sends a long answer byte by byte while no hook runs',
    fixture: 'h58_trickles',
    by: `the server's check of every frame, and ${BACK_PRESSURE}`,
    expected: endsLater('BW_PLUGIN_PROTOCOL', 'protocol_error', /answer 5, but no call is in flight/),
    entry: NO_HEALTH_CHECKS,
  },
  {
    id: 'H59',
    does: "answers in the runner's name with more than limits.reply allows",
    fixture: 'h59_long_reply',
    by: "the server's check of every frame, before any memory is allocated",
    expected: breaks(/frame of 2097152 bytes, at most 1048576 allowed/),
    entry: `limits: { reply: 1MiB }, ${NO_HEALTH_CHECKS}`,
  },
  {
    id: 'H59',
    does: "answers in the runner's name with text that is not JSON, marked as valid",
    fixture: 'h59_false_plain',
    by: "the server's check of every answer",
    expected: { kind: 'course', run: answersFalsely },
    entry: NO_HEALTH_CHECKS,
  },
  {
    id: 'H60',
    does: 'sends requests to the server without a pause while its hook runs',
    fixture: 'h60_asks_in_call',
    by: 'the budget of requests: 10,000 in one call',
    expected: breaks(/more than 10000 requests in one call/),
    entry: NO_HEALTH_CHECKS,
  },
];
