import type { EndpointConfig } from '../config/types.js';
import { Routes } from '../http/routes.js';
import type { PipelineHook } from '../plugins/metadata.js';
import { generateRequests } from '../profiling/generated-requests.js';
import type { RecordedRequest } from '../profiling/recorded-request.js';
import { type Exchanged, HookInput, type SampleResponse } from './hook-input.js';
import {
  DEEP_VALUES,
  EMPTY_VALUES,
  ENCODED_VALUES,
  HOSTILE_TEXTS,
  HOSTILE_VALUES,
  hugeValues,
} from './hostile-texts.js';
import type { Random } from './random.js';
import { randomJson, randomText } from './random-json.js';
import type { InputKind, Target, TargetInput } from './target.js';

type Body = Pick<RecordedRequest, 'headers' | 'body'>;
type Header = readonly [name: string, value: string];

/** A plugin that is checked without a configuration answers at these paths. */
const PATHS: readonly EndpointConfig[] = ['/validate', '/validate/{name}'].map((path) => ({
  name: path,
  path,
  methods: [],
  bodyLimitBytes: null,
  target: { kind: 'any-plugin' },
  hooks: [],
}));
const PLACE = '/validate';
const HOST: Header = ['host', 'localhost'];
const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const BYTES_TYPE = 'application/octet-stream';
const LONG_TEXT = 4096;
const LONG_BODY = 700_000;
/** What Node accepts of a request's head is 16 KiB. */
const LONG_HEAD = 7000;

const ITEMS = '{"items":[1,2.5,null,true,"ü"]}';
const BYTES = Buffer.from([0, 1, 2, 3]);
const NOT_UTF8 = Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0x00, 0xf8, 0x88]);

const body = (type: string, bytes: string | Buffer): Body => ({
  headers: [HOST, ['content-type', type]],
  body: bytes,
});
const json = (text: string): Body => body(JSON_TYPE, text);

/**
 * A hook, and what it is called with.
 * @param endpoints of a configured plugin; empty for a library alone
 * @param words see libraryWords()
 */
export function hookTarget(
  hook: PipelineHook,
  endpoints: readonly EndpointConfig[],
  words: readonly string[],
): Target {
  const routes = new Routes(endpoints.length > 0 ? endpoints : PATHS);
  const places = generateRequests(endpoints);
  const place = endpoints.length > 0 ? (places[0]?.target ?? PLACE) : PLACE;
  const isResponse = hook === 'after_response';
  const inputs = (list: readonly Exchanged[]): TargetInput[] =>
    list.flatMap((exchanged) => HookInput.of(hook, exchanged, routes) ?? []);
  const bodies = (list: readonly Body[]): Exchanged[] =>
    list.map((each) => withBody(each, place, isResponse));
  const requests = (list: readonly RecordedRequest[]): Exchanged[] =>
    isResponse ? [] : list.map((request) => ({ request, response: RESPONSE }));
  const ordinary: readonly Exchanged[] = [
    ...requests(endpoints.length > 0 ? places : []),
    ...bodies(ORDINARY_BODIES),
    ...requests([get(place), get(`${place}?city=Z%C3%BCrich&tag=a&tag=b`), get(`${place}/someone`)]),
  ];
  return {
    name: hook,
    ordinary: inputs(ordinary),
    inputs: (kind) => inputs([...bodies(BODIES[kind]()), ...requests(requestsOf(kind, place))]),
    random: (random) => HookInput.of(hook, randomExchange(random, ordinary, words, isResponse), routes),
  };
}

const ORDINARY_BODIES: readonly Body[] = [
  { headers: [HOST], body: null },
  json(ITEMS),
  body(TEXT_TYPE, 'x'.repeat(LONG_TEXT)),
  body(BYTES_TYPE, BYTES),
];

const BODIES: Readonly<Record<InputKind, () => Body[]>> = {
  empty: () => [
    { headers: [], body: null },
    body(JSON_TYPE, ''),
    body(TEXT_TYPE, ''),
    body(BYTES_TYPE, ''),
    ...EMPTY_VALUES.map(json),
  ],
  huge: () => [
    ...hugeValues().map(json),
    body(TEXT_TYPE, 'x'.repeat(LONG_BODY)),
    body(TEXT_TYPE, '"\\\n'.repeat(LONG_BODY / 8)),
    body(BYTES_TYPE, Buffer.alloc(LONG_BODY, 0xa5)),
  ],
  nested: () => DEEP_VALUES.map(json),
  encoding: () => [
    ...ENCODED_VALUES.map(json),
    body(TEXT_TYPE, '\u0000\u0001é\u{10ffff}\ufffd\u202e'),
    body(BYTES_TYPE, NOT_UTF8),
    body('image/png', NOT_UTF8),
    { headers: [HOST, ['content-type', JSON_TYPE], ['content-encoding', 'gzip']], body: NOT_UTF8 },
    { headers: [HOST, ['x-name', 'caf\u00e9 \u00ff\u00a0']], body: null },
  ],
  hostile: () => [
    ...HOSTILE_VALUES.map(json),
    ...HOSTILE_TEXTS.map((text) => body(TEXT_TYPE, text)),
    body('application/json; charset="utf-8"; x="\\""', '{}'),
    body('application/x-www-form-urlencoded', 'a=1&a=2&%00=%ff&=&&a[b][c]=1'),
    body('multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="a\r\n\r\n'),
    { headers: HOSTILE_TEXTS.map((text, index) => [`x-${index}`, visible(text)] as const), body: null },
  ],
};

const get = (target: string, headers: readonly Header[] = [HOST]): RecordedRequest => ({
  method: 'GET',
  target,
  headers,
  body: null,
});

function requestsOf(kind: InputKind, place: string): RecordedRequest[] {
  switch (kind) {
    case 'empty':
      return [get('/'), get(`${place}?`), get(`${place}?&&=&a=&=b`), get(place, [['x-empty', '']])];
    case 'huge':
      return [
        get(`${place}/${'p'.repeat(LONG_HEAD)}`),
        get(`${place}?q=${'q'.repeat(LONG_HEAD)}`),
        get(`${place}?${Array.from({ length: LONG_HEAD / 4 }, () => 'a=1').join('&')}`),
        get(`/${'a/'.repeat(LONG_HEAD / 2)}`),
        get(place, [HOST, ['x-long', 'h'.repeat(LONG_HEAD)]]),
        get(place, [HOST, ...Array.from({ length: 90 }, (_, index) => [`x-${index}`, 'v'] as const)]),
      ];
    case 'nested':
      return [get(`${place}?a[b][c][d][e]=1`), get(`${place}/a/../../b//c/./d`)];
    case 'encoding':
      return [
        get(`${place}/%ff%fe%c0%80`),
        get(`${place}?q=%ff%00%ed%a0%80`),
        get(`${place}/%00`),
        get(`${place}/%E2%80%AE%EF%BB%BF`),
        get(place, [HOST, ['cookie', 'a=\u00e9; b="\u00ff"']]),
      ];
    case 'hostile':
      return [
        ...HOSTILE_TEXTS.map((text) => get(`${place}/${encode(text)}?q=${encode(text)}`)),
        get(`${place}/%`),
        get(`${place}/%zz?%=%&%u0041`),
        get(`${place}?__proto__=1&constructor=2&toString=3`),
        { ...get(place), method: 'PROPFIND' },
        { ...get(place), method: 'OPTIONS' },
        { ...get(place), method: 'HEAD' },
      ];
  }
}

const RESPONSE: SampleResponse = { status: 200, headers: { 'content-type': JSON_TYPE }, body: '{"ok":true}' };
const STATUSES = [200, 201, 204, 206, 301, 304, 400, 401, 404, 418, 500, 503, 599];

function withBody({ headers, body: bytes }: Body, place: string, isResponse: boolean): Exchanged {
  if (!isResponse) {
    const method = bytes === null ? 'GET' : 'POST';
    return { request: { method, target: place, headers, body: bytes }, response: RESPONSE };
  }
  const own = headers.filter(([name]) => name !== HOST[0]);
  return { request: get(place), response: { status: 200, headers: Object.fromEntries(own), body: bytes } };
}

/** An ordinary request or response with a few random changes. */
function randomExchange(
  random: Random,
  ordinary: readonly Exchanged[],
  words: readonly string[],
  isResponse: boolean,
): Exchanged {
  const from = random.pick(ordinary);
  let { method, target, headers } = from.request;
  let bytes = from.request.body;
  let response = from.response;
  const changes = 1 + random.below(3);
  for (let change = 0; change < changes; change++) {
    const what = random.oneIn(2) ? 0 : random.below(isResponse ? 3 : 6);
    if (what === 0 || (isResponse && what === 1)) {
      const drawn = randomBody(random, words);
      if (isResponse) {
        response = { ...response, body: drawn.body, headers: Object.fromEntries(drawn.headers.slice(1)) };
      } else {
        method = random.pick(['POST', 'PUT', 'PATCH', 'DELETE']);
        bytes = drawn.body;
        headers = drawn.headers;
      }
    } else if (what === 1) target += `/${encode(randomText(random, words))}`;
    else if (what === 2 && isResponse) response = { ...response, status: random.pick(STATUSES) };
    else if (what === 2) target = withQuery(target, random, words);
    else if (what === 3) headers = [...headers, [headerName(random), visible(randomText(random, words))]];
    else if (what === 4 && bytes === null) method = random.pick(['HEAD', 'OPTIONS', 'DELETE', 'TRACE']);
    else target = `/${encode(randomText(random, words))}`;
  }
  return { request: { method, target, headers, body: bytes }, response };
}

function withQuery(target: string, random: Random, words: readonly string[]): string {
  const pair = `${encode(randomText(random, words))}=${encode(randomText(random, words))}`;
  return `${target}${target.includes('?') ? '&' : '?'}${pair}`;
}

function randomBody(random: Random, words: readonly string[]): Body {
  const kind = random.below(8);
  if (kind === 0) return body(BYTES_TYPE, random.bytes(random.below(300)));
  if (kind === 1) return body(TEXT_TYPE, randomText(random, words));
  return json(randomJson(random, words));
}

function headerName(random: Random): string {
  return random.pick([
    'authorization',
    'accept',
    'cookie',
    'range',
    'x-forwarded-for',
    'x-number',
    'if-match',
  ]);
}

/** A path segment or a query value. Lone surrogates cannot be encoded. */
function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

/** The characters of a text that a header can have. */
function visible(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').trim();
}
