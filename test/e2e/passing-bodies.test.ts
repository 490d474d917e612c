import { describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { header, rawAsk, rawTarget } from '../fixtures/raw-http.js';
import { startServer } from '../fixtures/server.js';

/** What a hook that changes nothing must not change either. */

const whole = compilePlugin('whole_documents');
const tag = `tag: { path: ${compilePlugin('tag')}, config: { tag: a } }`;
const patched = (name: 'request' | 'response', patch: object): string =>
  `p: { path: ${compilePlugin(`patches_${name}`)}, config: ${JSON.stringify(patch)} }`;

async function proxied(answer: string, plugins: string) {
  const target = await rawTarget(answer);
  const server = await startServer(`
endpoints:
  up: { path: "/up/*", proxy: { target: "${target.url}" } }
  static: { path: /static, response: { body: fixed } }
  answers: { path: /answers, plugin: whole }
plugins: { whole: { path: ${whole} }${plugins === '' ? '' : `, ${plugins}`} }
`);
  const ask = (path: string, lines = '', body = '') => {
    const method = body === '' ? 'GET' : 'POST';
    const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${lines}${length}\r\n`;
    return rawAsk(new URL(server.url).port, head + body);
  };
  return { target, server, ask };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a request body that does not match its content-type', () => {
  const bodies: [what: string, type: string, body: string, refused: number][] = [
    ['JSON that is cut off', 'application/json', '{"a":', 400],
    ['two JSON values', 'application/json', '{"a":1}\n{"a":2}\n', 400],
    ['JSON behind a byte order mark', 'application/json', '\xef\xbb\xbf{"a":1}', 400],
    ['JSON that nests too deep', 'application/json', '['.repeat(2000) + ']'.repeat(2000), 400],
    ['JSON that is not UTF-8', 'application/json', '{"a":"\xe9"}', 400],
    ['JSON in UTF-16', 'application/json; charset=utf-16', '\xff\xfe{\0}\0', 415],
    ['text that is not UTF-8', 'text/plain', 'caf\xe9', 400],
    ['text in Latin-1', 'text/plain; charset=ISO-8859-1', 'caf\xe9', 415],
    ['text in Latin-1 that looks like UTF-8', 'text/plain; charset="iso-8859-1"', 'caf\xc3\xa9', 415],
    ['a form in Latin-1', 'application/x-www-form-urlencoded; charset=latin1', 'a=\xe9', 415],
  ];

  test('reaches a target byte for byte, and a static endpoint is answered', async () => {
    const { ask, target } = await proxied(OK, tag);
    for (const [what, type, body] of bodies) {
      const answer = await ask('/up/x', `Content-Type: ${type}\r\n`, body);
      expect([what, answer.status]).toEqual([what, 200]);
      expect(header(answer, 'x-last')).toBe('a');
      expect(target.received.at(-1)!.endsWith(`\r\n\r\n${body}`)).toBe(true);
      expect(await ask('/static', `Content-Type: ${type}\r\n`, body)).toMatchObject({ rest: 'fixed' });
    }
  });

  test('is refused where a plugin answers', async () => {
    const { ask } = await proxied(OK, '');
    for (const [what, type, body, status] of bodies) {
      const answer = await ask('/answers', `Content-Type: ${type}\r\n`, body);
      expect([what, answer.status]).toEqual([what, status]);
    }
  });
});

describe('text in another charset', () => {
  const latin =
    'HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=ISO-8859-1; x=1\r\nContent-Length: 4\r\n\r\n';

  test.each(['caf\xe9', 'f\xc3\xa9e'])('of a target, %j, passes hooks byte for byte', async (body) => {
    const answer = await (await proxied(latin + body, tag)).ask('/up/x');
    expect(answer).toMatchObject({ status: 200, rest: body });
    expect(header(answer, 'content-type')).toBe('text/html; charset=ISO-8859-1; x=1');
  });

  test('that a hook replaces is labelled as UTF-8', async () => {
    const patch = patched('response', { body: 'fée', body_encoding: 'text', headers: { 'x-a': '1' } });
    const answer = await (await proxied(`${latin}page`, patch)).ask('/up/x');
    expect(Buffer.from(answer.rest, 'latin1').toString()).toBe('fée');
    expect(header(answer, 'content-type')).toBe('text/html; charset=utf-8; x=1');
  });

  test('of a request that a hook replaces is labelled as UTF-8', async () => {
    const { ask, target } = await proxied(OK, patched('request', { body: 'fée' }));
    await ask('/up/x', 'Content-Type: text/plain; charset=windows-1252\r\n', 'old');
    expect(target.received[0]).toMatch(/content-type: text\/plain; charset=utf-8\r\n/i);
    expect(target.received[0]).toMatch(/\r\n\r\nf\xc3\xa9e$/);
  });
});

describe('a plugin that returns whole documents', () => {
  const json = (body: string): string =>
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

  test.each([
    ['__proto__', '{"__proto__":{"admin":true}}'],
    ['__proto__ in escapes', '{"a":[{"\\u005f_proto__":1}]}'],
    ['a hundred levels', '['.repeat(100) + ']'.repeat(100)],
    ['constructor', '{"constructor":{"prototype":{"x":1}},"toString":1}'],
    ['digits and order', '{ "a":1.0,"b":12345678901234567890,"10":-0,"9":"\\ud800\\u0000" }'],
  ])('does not fail by a member of the client: %s', async (_what, body) => {
    const { ask, target, server } = await proxied(json(body), '');
    const answer = await ask('/up/x?__proto__=1&constructor=2', 'Content-Type: application/json\r\n', body);
    expect(answer).toMatchObject({ status: 200, rest: body });
    expect(target.received[0]!.endsWith(`\r\n\r\n${body}`)).toBe(true);
    expect(target.received[0]).toContain('/up/x?__proto__=1&constructor=2');
    const echoed = await ask('/answers', 'Content-Type: application/json\r\n', body);
    expect(echoed).toMatchObject({ status: 200, rest: expect.stringContaining(`"body":${body}`) as unknown });
    expect(server.plugin('whole').calls).toMatchObject({
      before_request: { failed: 0 },
      process_endpoint: { failed: 0 },
      after_response: { failed: 0 },
    });
  });
});
