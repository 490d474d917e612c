import { expect } from '@jest/globals';
import type { PostMortem } from '../../dist/plugins/status.js';
import { eventually, type TestServer } from '../fixtures/server.js';
import type { Answers, BadAnswer, Ends, Expected, NotLoaded, Observation, Scene } from './row.js';

type Response = Awaited<ReturnType<TestServer['get']>>;

const REFUSED = /^the sandbox refused system call \d+ \((\w+)\)$/;
const STATUS: Partial<Record<string, number>> = { BW_PLUGIN_TIMEOUT: 504, BW_PLUGIN_BAD_RESPONSE: 502 };

/** Has the deed done, checks what comes of it and what is told of it. */
export async function expectDeed(expected: Expected, scene: Scene): Promise<Observation> {
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
  const { outcome, code, told, stderr, at, kind, phase = 'process_endpoint', ...rest } = expected;
  const status = STATUS[code] ?? 503;
  expect(kind).toBe('ends');
  expect(response).toMatchObject({ status, body: { status, code, plugin: 'hostile' } });

  const { failures } = server.plugin('hostile');
  expect(failures).toHaveLength(1);
  const postMortem = failures[0] as PostMortem;
  expect(postMortem).toMatchObject({ outcome, code, phase, ...rest });
  expect(postMortem.message).toMatch(told);
  if (at === null) expect(postMortem.at).toBeNull();
  else if (at !== undefined) expect(postMortem.at).toMatch(at);
  if (stderr !== undefined) expect(postMortem.stderr.join('\n')).toMatch(stderr);

  const line = server.log.find(({ level, message }) => level === 'error' && told.test(message));
  expect(line?.fields).toMatchObject({ plugin: 'hostile', code, outcome, phase, ...rest });
  return { outcome: endOf(postMortem), reported: reportOf(postMortem) };
}

async function expectAnswer(expected: Answers, server: TestServer, response: Response): Promise<Observation> {
  const { answer, refused = [] } = expected;
  expect(response).toMatchObject({ status: 200 });
  expect(response.body).toEqual(answer);
  const told = (): string[] => server.log.flatMap(({ message }) => REFUSED.exec(message)?.[1] ?? []).sort();
  await eventually(() => told().length >= refused.length, `the report of ${refused.join(', ')}`);
  expect(told()).toEqual([...refused].sort());
  expect(server.plugin('hostile').failures).toEqual([]);
  const failed = Object.values(response.body as object).some((value) => /^E[A-Z]/.test(String(value)));
  const silence = failed ? 'nothing; the plugin sees the error' : 'nothing';
  const reported = refused.length === 0 ? silence : `refused ${told().join(', ')}`;
  return { outcome: answerOf(response.body), reported };
}

function expectBadAnswer({ told }: BadAnswer, server: TestServer, response: Response): Observation {
  const code = 'BW_PLUGIN_BAD_RESPONSE';
  const body = { status: 502, code, plugin: 'hostile', detail: expect.stringMatching(told) };
  expect(response).toMatchObject({ status: 502, body });
  const line = server.log.find(({ level, message }) => level === 'warn' && told.test(message));
  expect(line?.fields).toMatchObject({ plugin: 'hostile', code, hook: 'process_endpoint' });
  expect(server.plugin('hostile').calls['process_endpoint']).toEqual({ calls: 1, failed: 1 });
  return { outcome: 'answer refused (502)', reported: `\`${code}\` in process_endpoint, the reason` };
}

/** Checks that the plugin does not serve, that the list and the log say why, and nobody else suffers. */
async function expectNotLoaded(expected: NotLoaded, server: TestServer): Promise<Observation> {
  const { code, outcome, phase = 'load', told } = expected;
  const { state, reason, processes } = server.plugin('hostile');
  expect({ state, processes }).toEqual({ state: 'failed', processes: [] });
  expect(reason).toMatch(told);
  const line = server.log.find(({ level, message }) => level === 'error' && told.test(message));
  expect(line?.fields).toMatchObject({ plugin: 'hostile', code, outcome, phase });
  expect(await server.get('/bad')).toMatchObject({ status: 503, body: { plugin: 'hostile' } });
  return { outcome: `not loaded: ${outcome}`, reported: `\`${code}\` in ${phase}` };
}

function endOf({ outcome, signal, exitStatus, systemCall }: PostMortem): string {
  const how = systemCall ?? (outcome === 'timeout' ? null : signal) ?? exitStatus;
  return how === null ? outcome : `${outcome} (${how})`;
}

/** Where it happened is told with an address, which is not the same everywhere. */
function reportOf({ code, phase, signal, at, stderr }: PostMortem): string {
  const parts = [
    `\`${code}\` in ${phase}`,
    ...(signal === null ? [] : [signal]),
    ...(at === null ? [] : ['the place']),
    ...(stderr.length === 0 ? [] : ['its stderr']),
  ];
  return parts.join(', ');
}

/** Names of attempts by what they returned; numbers differ from run to run and stay out. */
function answerOf(body: unknown): string {
  const names = new Map<string, string[]>();
  for (const [name, result] of Object.entries(body as object)) {
    if (typeof result === 'string') names.set(result, [...(names.get(result) ?? []), name]);
  }
  const groups = [...names].sort(([a], [b]) => a.localeCompare(b));
  return groups.length === 0
    ? 'answered'
    : groups.map(([result, list]) => `${result}: ${list.join(', ')}`).join('; ');
}
