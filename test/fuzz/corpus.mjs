/**
 * Seed inputs for the fuzzers of the runner and of the C SDK. The server's own FrameWriter writes the
 * frames, so they are those of a real server.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FrameWriter } from '../../dist/native/protocol/frames.js';
import { HOOK_NUMBER, PROTOCOL_VERSION, ServerFrame } from '../../dist/native/protocol/protocol.js';

const REPLY_MAX = 8 * 1024 * 1024;
const NO_LIMIT = -1;

/** How a stream is delivered, as conversation_fuzzer.c reads it. */
const delivery = ({ chunk = 0, writeLimit = 0, reallocFail = 0, clockStep = 0, cancelled = 0 } = {}) =>
  Buffer.from([chunk, writeLimit, reallocFail, clockStep, cancelled]);

function stream(...frames) {
  const writer = new FrameWriter();
  frames.forEach(([type, detail, value, strings], index) => writer.add(type, index, detail, value, strings));
  return Buffer.concat(writer.take());
}

const hello = [ServerFrame.HELLO, 0, PROTOCOL_VERSION, []];
const load = (path = '/x', replyMax = REPLY_MAX) => [ServerFrame.LOAD, 0, replyMax, [path]];
const initialize = (config = '{}') => [ServerFrame.INITIALIZE, 0, 5000, [config]];
const call = (hook, strings, left = 100) => [ServerFrame.CALL, HOOK_NUMBER[hook], left, strings];
const health = [ServerFrame.HEALTH_CHECK, 0, 0, []];
const reconfigure = (config = '{}') => [ServerFrame.RECONFIGURE, 0, 0, [config]];
const shutdown = [ServerFrame.SHUTDOWN, 0, 0, []];
const sandbox = (...settings) => [ServerFrame.SANDBOX, 0, 0, settings];
const ready = [hello, load(), initialize()];

const EVERY_HOOK = [
  call('before_request', ['{"id":"1","method":"GET","path":"/"}']),
  call('process_endpoint', ['/weather/{city}', 'GET', '{"city":"Ghent"}'], NO_LIMIT),
  call('after_response', ['{"status":200,"headers":{}}']),
  call('call', ['analytics.track', '{"event":"a"}']),
];

/** First arguments that select what the plugin in dylib_memory.c does. */
const BEHAVIOURS = ['E', 'N', 'B\u0001', 'L\u0002text', 'Mcounter', 'D'];
/** Paths whose letters select properties of the plugin in dylib_memory.c. */
const PROPERTIES = [
  '/',
  '/d',
  '/i',
  '/v',
  '/e',
  '/y',
  '/s',
  '/n',
  '/b',
  '/bt',
  '/z',
  '/f',
  '/u',
  '/uw',
  '/r',
];

export function conversations() {
  const whole = [...ready, ...EVERY_HOOK, health, reconfigure(), shutdown];
  return {
    whole: [delivery(), stream(...whole)],
    pieces: [delivery({ chunk: 6, clockStep: 30 }), stream(...whole)],
    'lost-server': [delivery({ writeLimit: 3 }), stream(...whole)],
    'no-memory': [delivery({ reallocFail: 1 }), stream(...whole)],
    cancelled: [delivery({ cancelled: 4 }), stream(...whole)],
    sandboxed: [delivery(), stream(hello, sandbox('mode=off'), load(), initialize(), shutdown)],
    refused: [delivery(), stream(hello, sandbox('mode=strict', 'library=/x'), load())],
    'bad-settings': [delivery(), stream(hello, sandbox('mode=any'), load())],
    'initialize-fails': [delivery(), stream(hello, load(), initialize('F'), shutdown)],
    'reconfigure-fails': [delivery(), stream(...ready, reconfigure('F'), health)],
    'short-replies': [delivery(), stream(hello, load('/', 3), initialize(), ...EVERY_HOOK)],
    'wrong-state': [delivery(), stream(hello, initialize())],
    'wrong-version': [delivery(), stream([ServerFrame.HELLO, 0, 2, []])],
    'shut-down-early': [delivery(), stream(hello, shutdown)],
    batch: [delivery(), stream(...ready, ...Array(40).fill(EVERY_HOOK).flat())],
    'full-ring': [delivery(), stream(...ready, ...Array(9).fill(call('call', ['B\u0029', ''])))],
    'past-ring': [delivery(), stream(...ready, ...Array(4).fill(call('before_request', ['B\u007f'])))],
    'long-argument': [delivery(), stream(...ready, call('before_request', ['x'.repeat(70_000)]))],
    unfinished: [delivery(), stream(...whole).subarray(0, -20)],
    ...named('does', BEHAVIOURS, (text) => [
      delivery(),
      stream(...ready, call('before_request', [text]), call('process_endpoint', [text, 'GET', '{}'])),
    ]),
    ...named('is', PROPERTIES, (path) => [
      delivery(),
      stream(hello, load(path), initialize(), ...EVERY_HOOK, health, reconfigure('F'), shutdown),
    ]),
  };
}

export function settings() {
  const lines = (...texts) => [Buffer.from(texts.join('\0'))];
  return {
    empty: lines(),
    off: lines('mode=off'),
    strict: lines('mode=strict', 'library=/lib/a.so'),
    limits: lines('library=/a', 'memory=1048576', 'open_files=16', 'file_size=4096', 'cpu=9', 'udp=1'),
    lists: lines('library=/a', 'read=/a/b', 'write=/c', 'connect=443', 'connect=80', 'listen=9000'),
    'no-limits': lines('mode=off', 'memory=0', 'open_files=0', 'file_size=0'),
    twice: lines('library=/a', 'library=/b'),
    'way-up': lines('library=/a', 'read=/a/../b'),
    'many-ports': lines('library=/a', ...Array.from({ length: 65 }, (_, port) => `connect=${port + 1}`)),
    'too-many': lines('library=/a', ...Array(300).fill('read=/a')),
  };
}

export function descriptions() {
  const lines = (...texts) => [Buffer.concat(texts.map((text) => Buffer.from(text)))];
  return {
    plain: lines('weather\0', '1.0.0\0', 'Tells the weather.\0', '{"hooks":["process_endpoint"]}'),
    escapes: lines('a"b\\c\0', '\n\t\x7f\0', '\u00e4\u20ac\u{1f600}'),
    malformed: lines('a', [0xc3], '\0b', [0xe2, 0x82], '\0', [0xf0, 0x9f, 0x98], '\0', [0xed, 0xa0, 0x80]),
    overlong: lines([0xc0, 0xaf], '\0', [0xe0, 0x80, 0xaf], '\0', [0xf5, 0x80, 0x80, 0x80]),
  };
}

export function jsonTexts() {
  const texts = (...list) =>
    Object.fromEntries(list.map((text, index) => [`text-${index}`, [Buffer.from(text)]]));
  return texts(
    '{"status":200,"body":{"a":[1,-2.5e3,true,null]},"headers":{}}',
    '{"st\\u0061tus":1,"__proto__":{},"x":"\\ud83d\\ude00 \\\\ \\/"}',
    '[[[[[[[["deep"]]]]]]]]',
    '"Příliš 日本語 😀"',
    ' {\n        "a" : [ ] ,\t"b" : { } }\r\n',
    '0',
    '{"a":1,}',
  );
}

/** Answers of before_request, as patch_fuzzer.c reads them: the patch, a NUL byte, the headers of the request. */
export function patches() {
  const list = [
    [
      '{"headers":{"X-User":"42"},"context":{"user":{"id":1,"none":null}}}',
      '{"x-user":"7","accept":["a","b"]}',
    ],
    [' {"request":{"context":{}}}', '{}'],
    ['{"headers":{"te":"1"}}', '{"5":"five"}'],
    ['{"response":{}}', '{"a":"\\"},\\"remote\\":"}'],
  ];
  return named('patch', list, ([patch, headers]) => [Buffer.from(`${patch}\0${headers}`)]);
}

/** Documents as the server passes them to a plugin. */
export function documents() {
  const document = (body, body_encoding) => [
    Buffer.from(
      JSON.stringify({
        id: '1',
        method: 'GET',
        path: '/',
        route: null,
        query: { q: ['1', '2'] },
        headers: { host: 'a', 'set-cookie': ['b', 'c'] },
        body,
        body_encoding,
        context: { c: { seen: true } },
      }),
    ),
  ];
  return {
    json: document({ a: [1.5, { b: '"\\' }] }, 'json'),
    text: document('Příliš \u0000 😀', 'text'),
    base64: document('AAH/gA==', 'base64'),
    none: document(null, 'text'),
    twice: [
      Buffer.from('{"body":1,"b\\u006fdy":2 , "body" : [ {"a":"]"} ] ,"headers":{"host":"a","host":"b"}}'),
    ],
  };
}

function named(prefix, items, make) {
  return Object.fromEntries(items.map((item, index) => [`${prefix}-${index}`, make(item)]));
}

/** Writes each input to a file. @returns the number of inputs */
export function writeCorpus(inputs, directory) {
  mkdirSync(directory, { recursive: true });
  const entries = Object.entries(inputs);
  for (const [name, parts] of entries) writeFileSync(join(directory, name), Buffer.concat(parts));
  return entries.length;
}
