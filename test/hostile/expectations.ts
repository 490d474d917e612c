import { expect } from '@jest/globals';
import type { PostMortem } from '../../dist/lifecycle/entry/status.js';
import { eventually, type LogLine, type TestServer } from '../fixtures/server.js';
import type { Answers, BadAnswer, Ends, Expected, NotLoaded, Observation, Scene } from './row.js';

type Response = Awaited<ReturnType<TestServer['get']>>;

/** Some C libraries implement chmod() with the system call chmod, others with fchmodat. */
const FORMS = /^f?(chmod|chown|link|mknod|symlink)at$/;
const STATUS: Partial<Record<string, number>> = { BW_PLUGIN_TIMEOUT: 504, BW_PLUGIN_BAD_RESPONSE: 502 };

/** Triggers the fault, then checks its outcome and how the server reports it. */
export async function expectFault(expected: Expected, scene: Scene): Promise<Observation> {
  const { server } = scene;
  switch (expected.kind) {
    case 'ends':
      return expectEnd(expected, server, await server.get('/bad'));
    case 'answers':
      return expectAnswer(expected, server, await server.get('/bad'));
    case 'bad answer':
      return expectBadAnswer(expected, server, await server.get('/bad'));
    case 'not loaded':
      return expectNotLoaded(expected, server);
    case 'course':
      return expected.run(scene);
  }
}

async function expectEnd(expected: Ends, server: TestServer, response: Response): Promise<Observation> {
  const { outcome, code, pattern, stderr, logged, at, kind, phase = 'process_endpoint', ...rest } = expected;
  const status = STATUS[code] ?? 503;
  expect(kind).toBe('ends');
  expect(response).toMatchObject({ status, body: { status, code, plugin: 'hostile' } });

  // The client gets its answer at the deadline, before the process has ended.
  await eventually(() => server.plugin('hostile').failures.length > 0, 'the post-mortem');
  const { failures } = server.plugin('hostile');
  expect(failures).toHaveLength(1);
  const postMortem = failures[0] as PostMortem;
  expect(postMortem).toMatchObject({ outcome, code, phase, ...rest });
  expect(postMortem.message).toMatch(pattern);
  if (at === null) expect(postMortem.at).toBeNull();
  else if (at !== undefined) expect(postMortem.at).toMatch(at);
  if (stderr !== undefined) expect(postMortem.stderr.join('\n')).toMatch(stderr);
  const output = server.log.filter(({ fields }) => fields['source'] === 'stderr');
  if (logged !== undefined) expect(output.map(({ message }) => message).join('\n')).toMatch(logged);

  const line = (): LogLine | undefined =>
    server.log.find(({ level, message }) => level === 'error' && pattern.test(message));
  await eventually(() => line() !== undefined, `the log line ${pattern.source}`);
  expect(line()?.fields).toMatchObject({ plugin: 'hostile', code, outcome, phase, ...rest });
  return { outcome: endOf(postMortem), reported: reportOf(postMortem) };
}

async function expectAnswer(expected: Answers, server: TestServer, response: Response): Promise<Observation> {
  const { answer, numbers = {}, refused = [] } = expected;
  expect(response).toMatchObject({ status: 200 });
  const rest = { ...(response.body as Record<string, unknown>) };
  for (const [name, [low, high]] of Object.entries(numbers)) {
    expect(rest[name]).toBeGreaterThanOrEqual(low);
    expect(rest[name]).toBeLessThanOrEqual(high);
    delete rest[name];
  }
  expect(rest).toEqual(answer);
  const reportedNow = (): string[] => reportedRefusals(server);
  await eventually(() => reportedNow().length >= refused.length, `the report of ${refused.join(', ')}`);
  expect(reportedNow()).toEqual([...refused].sort());
  expectRefusalsLogged(server);
  expect(server.plugin('hostile').failures).toEqual([]);
  const failed = Object.values(response.body as object).some((value) => /^E[A-Z]/.test(String(value)));
  const silence = failed ? 'nothing; the plugin sees the error' : 'nothing';
  const reported = refused.length === 0 ? silence : `refused ${reportedNow().join(', ')}`;
  return { outcome: answerOf(answer, numbers), reported };
}

/** Each kind of refusal once, without paths and ports. */
function reportedRefusals(server: TestServer): string[] {
  const kinds = server.plugin('hostile').refusals.map(({ permission, function: name }) => {
    const made = name.replace(FORMS, '$1');
    return permission === null ? made : `${permission} (${made})`;
  });
  return [...new Set(kinds)].sort();
}

/** Every refusal has a log line with the object concerned and the permission that would allow it. */
function expectRefusalsLogged(server: TestServer): void {
  for (const { permission, function: name, object } of server.plugin('hostile').refusals) {
    const lines = server.log.filter(
      ({ fields }) =>
        fields['permission'] === permission && fields['function'] === name && fields['object'] === object,
    );
    const what = permission === null ? name : permission;
    const remedy = permission === null ? 'no permission allows it' : 'grant';
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', expect.stringContaining(`hostile was refused ${what}`)],
    ]);
    expect(lines[0]?.message).toContain(object ?? '');
    expect(lines[0]?.message).toContain(remedy);
  }
}

function expectBadAnswer(expected: BadAnswer, server: TestServer, response: Response): Observation {
  const { pattern, hook = 'process_endpoint' } = expected;
  const code = 'BW_PLUGIN_BAD_RESPONSE';
  const body = { status: 502, code, plugin: 'hostile', detail: expect.stringMatching(pattern) };
  expect(response).toMatchObject({ status: 502, body });
  const line = server.log.find(({ level, message }) => level === 'warn' && pattern.test(message));
  expect(line?.fields).toMatchObject({
    plugin: 'hostile',
    code,
    outcome: 'bad_response',
    hook,
  });
  expect(server.plugin('hostile').failures).toMatchObject([
    {
      outcome: 'bad_response',
      code,
      phase: hook,
      requestId: (response.body as { request_id: string }).request_id,
    },
  ]);
  expect(server.plugin('hostile').calls[hook]).toEqual({ calls: 1, failed: 1 });
  return { outcome: 'answer refused (502)', reported: `\`${code}\` in ${hook}, the reason` };
}

/** Checks that the plugin does not serve, and that its status and the log say why. */
async function expectNotLoaded(expected: NotLoaded, server: TestServer): Promise<Observation> {
  const { code, outcome, pattern } = expected;
  const phase = expected.phase ?? 'load';
  const { state, reason, processes } = server.plugin('hostile');
  expect({ state, processes }).toEqual({ state: 'failed', processes: [] });
  expect(reason).toMatch(pattern);
  const line = server.log.find(({ level, message }) => level === 'error' && pattern.test(message));
  expect(line?.fields).toMatchObject({ plugin: 'hostile', code, ...(outcome && { outcome, phase }) });
  expect(await server.get('/bad')).toMatchObject({ status: 503, body: { plugin: 'hostile' } });
  if (outcome === undefined) return { outcome: 'not loaded', reported: `\`${code}\`` };
  return { outcome: `not loaded: ${outcome}`, reported: `\`${code}\` in ${phase}` };
}

function endOf({ outcome, message, signal, exitStatus, systemCall }: PostMortem): string {
  const activity = outcome === 'timeout' ? (/, (?:while )?(.+)$/.exec(message)?.[1] ?? null) : signal;
  const how = systemCall ?? activity ?? exitStatus;
  return how === null ? outcome : `${outcome} (${how})`;
}

/** Without the address itself, which differs between systems. */
function reportOf({ code, phase, signal, at, stderr }: PostMortem): string {
  const parts = [
    `\`${code}\` in ${phase}`,
    ...(signal === null ? [] : [signal]),
    ...(at === null ? [] : ['the address']),
    ...(stderr.length === 0 ? [] : ['stderr']),
  ];
  return parts.join(', ');
}

/** Attempts grouped by result. Numbers appear as bounds, because they differ between runs. */
function answerOf(answer: Answers['answer'], numbers: NonNullable<Answers['numbers']>): string {
  const names = new Map<string, string[]>();
  for (const [name, result] of Object.entries(answer)) {
    const text = String(result);
    names.set(text, [...(names.get(text) ?? []), name]);
  }
  const groups = [...names].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...groups.map(([result, list]) => `${result}: ${list.join(', ')}`),
    ...Object.entries(numbers).map(([name, [low, high]]) => `${low} to ${high} ${name}`),
  ].join('; ');
}
