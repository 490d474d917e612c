import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { plainResponseHead } from '../../dist/pipeline/documents/response-document.js';
import { RequestDocument } from '../../dist/pipeline/documents/request-document.js';
import { readDecision } from '../../dist/plugins/marshal.js';
import { FRAMING } from '../../dist/plugins/response-check.js';
import { compilePlugin } from '../fixtures/compile.js';
import { jsonObjectText, jsonValueText } from '../pipeline/documents/json-arbitrary.js';
import { sampleRequest } from '../pipeline/documents/sample-request.js';
import { ANSWER, Conversation, endConversations, frame, SERVER } from './runner-conversation.js';

/*
 * The runner applies simple answers of before_request to the documents of the next hooks. These documents
 * must be the same, byte for byte, as those that the server would have sent.
 */

/** before_request, process_endpoint and after_response. */
const ALL_STEPS = 7;
/** Flag of an answer: the next hook of the batch runs. */
const MORE = 1;
const PARSED_MAX = 1 << 20;

afterEach(endConversations);

/** What the hooks after before_request receive; null when the runner leaves the patch to the server. */
type Received = { readonly request: string; readonly response: string } | null;

class PatchingRunner {
  private id = 10;

  private constructor(private readonly runner: Conversation) {}

  static async start(): Promise<PatchingRunner> {
    return new PatchingRunner(await Conversation.ready(compilePlugin('given_patch')));
  }

  async apply(document: RequestDocument, patch: string): Promise<Received> {
    const { runner } = this;
    this.id += 2;
    const args = [document.toJson().toString(), '/things/{id}', document.method, headOf(document)];
    runner.send(
      frame(SERVER.RECONFIGURE, this.id, 0, 0, [patch]),
      frame(SERVER.BATCH, this.id + 1, ALL_STEPS, -1, args),
    );
    await runner.expect(ANSWER.STATUS);
    const first = await runner.expect(ANSWER.REPLY);
    expect(first.payload.toString()).toBe(patch);
    if ((first.detail & MORE) === 0) return null;
    const request = await runner.expect(ANSWER.REPLY);
    const response = await runner.expect(ANSWER.REPLY);
    return { request: request.payload.toString(), response: response.payload.toString() };
  }
}

function headOf({ id, context }: RequestDocument): string {
  return plainResponseHead(id, '"method":"GET","path":"/things/1","route":null', context);
}

/** What the server would send to the next hooks. @throws InvalidAnswer for a patch that it refuses */
function applied(document: RequestDocument, patch: string): Received {
  readDecision(Buffer.from(patch), PARSED_MAX, document);
  const request = document.toJson().toString();
  return { request, response: `${headOf(document)}${request}}` };
}

const RAW = ['Host', 'localhost', 'X-User', '7', 'Accept', 'a "quoted" }, {value', 'Set-Cookie', 'a=1'];

function documentOf(rawHeaders: readonly string[] = RAW, body = '', search = ''): RequestDocument {
  const request = sampleRequest({ rawHeaders, search });
  return new RequestDocument(request, body === '' ? null : Buffer.from(body));
}

describe('the runner applies', () => {
  test.each([
    ['a new header', '{"headers":{"x-new":"1"}}'],
    ['a header the request has, in its place', '{"headers":{"X-User":"42","x-new":"1"}}'],
    ['a header in place of a list', '{"headers":{"set-cookie":"b=2"}}'],
    ['members of the context', '{"context":{"user":42.0,"roles":["a", "b"],"none":null}}'],
    ['nested members of the context', '{ "context" : { "a" : { "b" : null , "c" : 1e400 } } }'],
    ['headers and context', '{"headers":{"x-user":"42"},"context":{"user":42}}'],
    ['a patch within "request"', '\n{"request":{"headers":{"x-user":"42"},"context":{"é":"\\u00e9"}}}'],
    ['a patch that changes nothing', '{}'],
    ['an empty list of headers and an empty context', '{"headers":{},"context":{}}'],
  ])('%s', async (_what, patch) => {
    const runner = await PatchingRunner.start();
    const received = await runner.apply(documentOf(), patch);
    expect(received).toEqual(applied(documentOf(), patch));
    expect(received).not.toBeNull();
  });
});

describe('the runner leaves to the server', () => {
  test.each([
    ['a response', '{"response":{"status":403}}'],
    ['a patch of another member', '{"path":"/other"}'],
    ['a patch of the body', '{"headers":{"x-a":"1"},"body":{"a":1}}'],
    ['members beside "request"', '{"request":{"headers":{}},"context":{"a":1}}'],
    ['a header that is removed', '{"headers":{"x-user":null}}'],
    ['a list of values', '{"headers":{"x-user":["1","2"]}}'],
    ['a value with an escape', '{"headers":{"x-user":"\\u0041"}}'],
    ['a value with a character that is not ASCII', '{"headers":{"x-user":"é"}}'],
    ['a name with an escape', '{"headers":{"x-\\u0041":"1"}}'],
    ['a header that frames the message', '{"headers":{"Content-Length":"1"}}'],
    ['a name that is a number', '{"headers":{"1":"1"}}'],
    ['two members of one name', '{"context":{"a":1},"context":{"b":1}}'],
    ['two headers of one name', '{"headers":{"X-A":"1","x-a":"2"}}'],
    ['headers that are removed', '{"headers":null}'],
    ['a context that is no object', '{"context":[]}'],
    ['a member __proto__', '{"context":{"__proto__":{}}}'],
    ['a list', '[]'],
    ['a text', '"text"'],
    ['an answer that is not JSON', '{"headers":'],
    ['an answer that is too long', `{"context":{"a":"${'a'.repeat(4096)}"}}`],
  ])('%s', async (_what, patch) => {
    const runner = await PatchingRunner.start();
    expect(await runner.apply(documentOf(), patch)).toBeNull();
  });

  test('every header that the server drops because it frames the message', async () => {
    const runner = await PatchingRunner.start();
    for (const framing of FRAMING)
      expect([framing, await runner.apply(documentOf(), `{"headers":{"${framing}":"1"}}`)]).toEqual([
        framing,
        null,
      ]);
  });

  test('a change of a context that has members, and a request with a header that is a number', async () => {
    const runner = await PatchingRunner.start();
    const second = documentOf();
    applied(second, '{"context":{"a":1}}');
    expect(await runner.apply(second, '{"context":{"b":2}}')).toBeNull();
    expect(await runner.apply(second, '{"headers":{"x-user":"42"}}')).not.toBeNull();
    expect(await runner.apply(documentOf(['5', 'five']), '{"headers":{"x-user":"42"}}')).toBeNull();
  });
});

const IMITATION = ',"headers":{"x":"y"},"remote":null,"context":{},"body_encoding":"json","body":{}}';

test('texts of a request that look like members of the document are not mistaken for them', async () => {
  const runner = await PatchingRunner.start();
  const patch = '{"headers":{"x-user":"42"},"context":{"user":42}}';
  const requests: readonly [readonly string[], string, string][] = [
    [['x-user', IMITATION, 'b', '},"remote":null,"context":{},'], '', ''],
    [['content-type', 'application/json'], `{"a":1${IMITATION}`, ''],
    [[], '', `?headers=${encodeURIComponent(IMITATION)}&context=%7B%7D&remote=null`],
    [['content-type', 'text/plain'], IMITATION, ''],
  ];
  for (const [headers, body, search] of requests) {
    const received = await runner.apply(documentOf(headers, body, search), patch);
    expect(received).toEqual(applied(documentOf(headers, body, search), patch));
    const second = documentOf(headers, body, search);
    applied(second, '{"context":{"a":1}}');
    expect(await runner.apply(second, patch)).toBeNull();
  }
});

const name = fc.constantFrom('x-user', 'X-User', 'host', 'accept', 'x-new', 'te', '1', '__proto__', '');
const value = fc.oneof(
  fc.string({ maxLength: 6 }).map((text) => JSON.stringify(text)),
  fc.constantFrom('null', '["a"]', '1', '"é"', '"plain"'),
);
const headers = fc
  .array(fc.tuple(name, value), { maxLength: 4 })
  .map((members) => `{${members.map(([key, text]) => `"${key}":${text}`).join(',')}}`);
const member = fc.oneof(
  headers.map((text) => `"headers":${text}`),
  jsonObjectText.map((text) => `"context":${text}`),
  fc.tuple(fc.constantFrom('headers', 'context', 'request', 'other'), jsonValueText).map(([key, text]) => {
    return `"${key}":${text}`;
  }),
);
const patches = fc.tuple(fc.array(member, { maxLength: 3 }), fc.boolean()).map(([members, isWrapped]) => {
  const patch = `{${members.join(',')}}`;
  return isWrapped ? `{"request":${patch}}` : patch;
});

test('whatever the runner applies, the next hooks receive what the server would have sent', async () => {
  const runner = await PatchingRunner.start();
  let appliedByRunner = 0;
  await fc.assert(
    fc.asyncProperty(
      patches,
      fc.array(fc.tuple(name, fc.string()), { maxLength: 5 }),
      async (patch, pairs) => {
        // A patch with a NUL character cannot be passed to the plugin.
        fc.pre(!patch.includes('\0'));
        const raw = pairs.flatMap(([key, text]) => [key, text.replaceAll('\0', '')]);
        const received = await runner.apply(documentOf(raw), patch);
        if (received === null) return;
        appliedByRunner += 1;
        expect(received).toEqual(applied(documentOf(raw), patch));
      },
    ),
    { numRuns: 1500 },
  );
  expect(appliedByRunner).toBeGreaterThan(100);
});
