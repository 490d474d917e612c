/** docs/plugin-contract.md: its examples are what a server and a plugin really exchange. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { ERRORS } from '../../../dist/errors.js';
import { compilePlugin } from '../../fixtures/compile.js';
import { rawAsk, type RawAnswer } from '../../fixtures/raw-http.js';
import { startServer, type TestServer } from '../../fixtures/server.js';
import { requestFaults, responseFaults } from './document-schemas.js';

const page = readFileSync(new URL('../../../docs/plugin-contract.md', import.meta.url), 'utf8');
const [, endpoints = ''] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? [];

interface Example {
  readonly title: string;
  readonly first: string;
  readonly second: string;
}

/** Consecutive code blocks below a heading, in pairs. */
function examplesBelow(heading: string, kinds: string): Example[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const blocks = [...section.matchAll(/^```(http|json)\n(.*?)\n```$/gms)];
  const pairs: Example[] = [];
  for (let index = 0; index + 1 < blocks.length; index += 2) {
    const [, kind = '', first = ''] = blocks[index]!;
    const [, other = '', second = ''] = blocks[index + 1]!;
    if (`${kind} ${other}` !== kinds) continue;
    pairs.push({ title: first.split('\n').slice(0, 1).join(' ').slice(0, 70), first, second });
  }
  return pairs;
}

const hex = (text: string): string => Buffer.from(text).toString('hex');

const serve = (plugins: string): Promise<TestServer> =>
  startServer(`${endpoints}\nplugins:\n  echo: { path: ${compilePlugin('shows_request')} }\n${plugins}`);

/** Sends a request as the page shows it, and closes the connection after it. */
function send(server: TestServer, request: string): Promise<RawAnswer> {
  const blank = request.indexOf('\n\n');
  const head = blank === -1 ? request : request.slice(0, blank);
  const body = blank === -1 ? '' : request.slice(blank + 2);
  const lines = [...head.split('\n'), 'Connection: close', '', body];
  return rawAsk(new URL(server.url).port, lines.join('\r\n'));
}

/** The body; rawAsk() reads bytes as latin1. */
const utf8 = ({ rest }: RawAnswer): string => Buffer.from(rest, 'latin1').toString('utf8');

/** A port that the client's system chooses. */
const withoutPort = (document: string): string => document.replace(/"port": ?\d+/, '"port":0');

/** JSON without white space between its tokens: digits and order stay as written. */
const compact = (json: string): string =>
  json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_all, text: string | undefined) => text ?? '');

describe('request documents', () => {
  const examples = examplesBelow('The request document', 'http json');

  test('the page has three', () => expect(examples).toHaveLength(3));

  test.each(examples)('$title', async ({ first, second }) => {
    const server = await serve('');
    const rest = utf8(await send(server, first));
    expect(withoutPort(rest)).toBe(withoutPort(compact(second)));
    expect(requestFaults(rest)).toEqual([]);
  });
});

describe('the response document', () => {
  test.each(examplesBelow('The response document', 'http json'))('$title', async ({ first, second }) => {
    const server = await serve(`  shows: { path: ${compilePlugin('shows_response')} }`);
    const { rest } = await send(server, first);
    expect(rest).toBe(`[${compact(second)}]`);
    expect(responseFaults(rest.slice(1, -1))).toEqual([]);
  });
});

const given = (hook: string, answer: string): string =>
  `  given: { path: ${compilePlugin('given_answer')}, config: { ${hook}: "${hex(answer)}" } }`;

/** A request of the page's examples of answers, which has nothing but what they mention. */
const ask = (path: string): string => `GET ${path} HTTP/1.1\nHost: shop.example\nAccept: */*`;

const TRANSPORT = new Set(['x-request-id', 'date', 'connection', 'content-length', 'keep-alive']);

function expectResponse({ status, lines, rest }: RawAnswer, shown: string): void {
  const [head = '', body = ''] = shown.split('\n\n');
  const [first = '', ...headers] = head.split('\n');
  expect(`HTTP/1.1 ${status}`).toBe(first.split(' ').slice(0, 2).join(' '));
  const sent = lines.filter((line) => !TRANSPORT.has(line.split(':')[0] ?? ''));
  expect(sent.sort()).toEqual(headers.sort());
  expect(rest).toBe(body);
}

describe('answers of before_request', () => {
  const changes = examplesBelow('What before_request returns', 'json json');
  const responses = examplesBelow('What before_request returns', 'json http');

  test('the page has one of each kind', () => expect([changes.length, responses.length]).toEqual([1, 1]));

  test.each(responses)('$title', async ({ first, second }) => {
    const server = await serve(given('before_request', first));
    expectResponse(await send(server, ask('/items/7')), second);
  });

  test.each(changes)('$title', async ({ first, second }) => {
    const server = await serve(`${given('before_request', first)}`.replace(' }', ' }, priority: 1'));
    const { rest } = await send(server, ask('/items/7'));
    const shown = JSON.parse(second) as Record<string, unknown>;
    const document = JSON.parse(rest) as Record<string, unknown>;
    expect(Object.fromEntries(Object.keys(shown).map((name) => [name, document[name]]))).toEqual(shown);
  });
});

describe('answers of process_endpoint', () => {
  const examples = examplesBelow('What process_endpoint returns', 'json http');

  test('the page has six', () => expect(examples).toHaveLength(6));

  test.each(examples)('$title', async ({ first, second }) => {
    const server = await startServer(`
endpoints: { item: { path: /items, plugin: given } }
plugins:
${given('process_endpoint', first)}
`);
    expectResponse(await send(server, ask('/items')), second);
  });
});

describe('answers of after_response', () => {
  const examples = examplesBelow('What after_response returns', 'json http');

  test('the page has two', () => expect(examples).toHaveLength(2));

  test.each(examples)('$title', async ({ first, second }) => {
    const server = await serve(given('after_response', first));
    expectResponse(await send(server, ask('/price')), second);
  });
});

test('the table of failures has the status of every code it names', () => {
  const rows = [...page.matchAll(/^\| .* \| `(BW_\w+)` \| (\d{3}) \|$/gm)];
  expect(rows.length).toBeGreaterThanOrEqual(5);
  for (const [, code = '', status] of rows) {
    expect([code, String(ERRORS[code as keyof typeof ERRORS].status)]).toEqual([code, status]);
  }
});

test('the page names every function of the host table', () => {
  const header = readFileSync(
    new URL('../../../native-sdk/include/backworks_plugin.h', import.meta.url),
    'utf8',
  );
  const [, table = ''] = /typedef struct BackworksHost \{(.*?)\} BackworksHost;/s.exec(header) ?? [];
  const functions = [...table.matchAll(/\(\*(\w+)\)/g)].map(([, name = '']) => name);
  expect(functions.length).toBeGreaterThan(8);
  expect(functions.filter((name) => !page.includes(`\`${name}`))).toEqual([]);
});
