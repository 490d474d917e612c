import { expect } from '@jest/globals';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { BadAnswer, Course, Ends, Row, Scene } from '../row.js';

const VALIDATION = "the server's check of every answer";
/** Parsing 8 MiB of brackets would block the event loop for longer than a second. */
const STALL_MS_MAX = 700;

function unusable(pattern: RegExp): BadAnswer {
  return { kind: 'bad answer', pattern };
}

/** The same faults in the hooks of a critical plugin, whose failure ends the request. */
const IN_HOOKS: readonly Row[] = (['before_request', 'after_response'] as const).flatMap((hook) => {
  const row = (id: Row['id'], what: string, fixture: string, pattern: RegExp): Row => ({
    id,
    does: `answers in ${hook} with ${what}`,
    fixture: `${fixture}_${hook}`,
    entry: 'critical: true',
    by: VALIDATION,
    expected: { kind: 'bad answer', hook, pattern },
  });
  return [
    row('H48', 'a member "__proto__"', 'h48_prototype', /the answer has a member "__proto__"/),
    row('H49', 'a line break in a header', 'h49_header', /header x-city has a character that headers cannot/),
    row('H49', 'status 99999', 'h49_status', /status 99999 is not an integer from 200 to 599/),
  ];
});

/** The process ends while the runner copies what the plugin returned. */
const ENDS_IN_COPY: Ends = {
  kind: 'ends',
  outcome: 'crashed',
  code: 'BW_PLUGIN_CRASHED',
  signal: 'SIGSEGV',
  pattern: /crashed with SIGSEGV during process_endpoint/,
};

/** An answer in memory that may have been overwritten: the answer is sent or refused, or the process crashes. */
const SENT_REFUSED_OR_CRASHED: Course = {
  kind: 'course',
  run: async ({ server }) => {
    const { status, body } = await server.get('/bad');
    const codes: Record<number, string> = { 502: 'BW_PLUGIN_BAD_RESPONSE', 503: 'BW_PLUGIN_CRASHED' };
    if (status !== 200) expect(body).toMatchObject({ status, code: codes[status], plugin: 'hostile' });
    return {
      outcome: 'answered, refused (502) or crashed, by chance',
      reported: 'an answer that is not UTF-8 or not JSON, or the crash',
    };
  },
};

/** Does some work and returns the longest stall of the event loop meanwhile, in milliseconds. */
async function longestStall(work: () => Promise<void>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  // A delay in progress is counted when the next timer fires.
  await new Promise((resolve) => setTimeout(resolve, 20));
  delay.disable();
  return delay.max / 1e6;
}

async function refusedWithoutStall({ server }: Scene): Promise<void> {
  const stall = await longestStall(async () => {
    expect(await server.get('/bad')).toMatchObject({ status: 502, body: { code: 'BW_PLUGIN_BAD_RESPONSE' } });
  });
  expect(stall).toBeLessThan(STALL_MS_MAX);
}

/** Plugins with invalid answers. */
export const ANSWERS: readonly Row[] = [
  {
    id: 'H40',
    does: 'answers with bytes that are not UTF-8',
    fixture: 'h40_not_utf8',
    by: VALIDATION,
    expected: unusable(/the answer is not UTF-8/),
  },
  {
    id: 'H41',
    does: 'answers with a string that runs into unmapped memory',
    fixture: 'h41_unterminated',
    by: 'process isolation: the runner copies the answer',
    expected: ENDS_IN_COPY,
  },
  {
    id: 'H41',
    does: 'answers with a number in place of a pointer',
    fixture: 'h41_wild_pointer',
    by: 'process isolation: the runner copies the answer',
    expected: ENDS_IN_COPY,
  },
  {
    id: 'H42',
    does: 'answers with 100 MB',
    fixture: 'h42_endless',
    by: 'limits.reply, before anything is copied',
    entry: 'recycle: { memory: 0B }',
    expected: unusable(/the plugin's reply exceeds 8388608 bytes/),
  },
  {
    id: 'H43',
    does: 'answers with memory it has freed',
    fixture: 'h43_freed_pointer',
    by: `${VALIDATION}, if the answer is damaged`,
    expected: SENT_REFUSED_OR_CRASHED,
    uncaught: 'if the memory has not been reused yet, the answer is well formed and is sent.',
  },
  {
    id: 'H43',
    does: 'answers with a variable of a function that has returned',
    fixture: 'h43_stack_pointer',
    by: `${VALIDATION}, if the answer is damaged`,
    expected: SENT_REFUSED_OR_CRASHED,
    uncaught: 'if the memory has not been reused yet, the answer is well formed and is sent.',
  },
  {
    id: 'H44',
    does: 'writes 40 bytes beyond an allocation',
    fixture: 'h44_heap_overflow',
    by: 'nothing until glibc notices the damage; then process isolation',
    expected: { kind: 'answers', answer: { overflowed: 'ok' } },
    uncaught:
      'heap damage goes unnoticed until glibc finds it and that process crashes; `plugin validate` finds the damage at once.',
  },
  {
    id: 'H45',
    does: 'answers NULL, "not mine", when no other plugin is asked',
    fixture: 'h45_null',
    by: 'the ABI, in which NULL and "" are different answers',
    expected: {
      kind: 'course',
      run: async ({ server }) => {
        expect(await server.get('/bad')).toMatchObject({ status: 404, body: { code: 'BW_ROUTE_NOT_FOUND' } });
        expect(server.plugin('hostile').calls['process_endpoint']).toEqual({ calls: 1, failed: 0 });
        return { outcome: '404', reported: 'nothing; NULL is not a failure' };
      },
    },
  },
  {
    id: 'H45',
    does: 'answers with an empty string',
    fixture: 'h45_empty',
    by: VALIDATION,
    expected: unusable(/the answer is not JSON/),
  },
  {
    id: 'H47',
    does: 'answers with 8 MiB of "["',
    fixture: 'h47_brackets',
    by: 'limits.parsed_reply, before anything is parsed',
    expected: unusable(/the answer has 8388607 bytes, but limits.parsed_reply allows only 1048576/),
    also: refusedWithoutStall,
  },
  {
    id: 'H47',
    does: 'answers with a body of half a million nested arrays',
    fixture: 'h47_deep_body',
    by: VALIDATION,
    expected: unusable(/nests too deep/),
    also: refusedWithoutStall,
  },
  {
    id: 'H48',
    does: 'answers with a member "__proto__"',
    fixture: 'h48_prototype',
    by: VALIDATION,
    expected: unusable(/the answer has a member "__proto__"/),
  },
  {
    id: 'H48',
    does: 'answers with an escaped member "__proto__"',
    fixture: 'h48_prototype_escaped',
    by: VALIDATION,
    expected: unusable(/the answer has a member "__proto__"/),
  },
  {
    id: 'H49',
    does: 'answers with a line break in a header',
    fixture: 'h49_header_line_break',
    by: VALIDATION,
    expected: unusable(/header x-city has a character that headers cannot carry/),
  },
  {
    id: 'H49',
    does: 'answers with a header whose name is not a token',
    fixture: 'h49_header_name',
    by: VALIDATION,
    expected: unusable(/header name "x city:" is not a token/),
  },
  {
    id: 'H49',
    does: 'answers with status 99999',
    fixture: 'h49_status_large',
    by: VALIDATION,
    expected: unusable(/status 99999 is not an integer from 200 to 599/),
  },
  {
    id: 'H49',
    does: 'answers with status 42',
    fixture: 'h49_status_small',
    by: VALIDATION,
    expected: unusable(/status 42 is not an integer from 200 to 599/),
  },
  ...IN_HOOKS,
];
