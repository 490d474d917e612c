import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../dist/index.js';
import { compilePlugin } from '../../fixtures/compile.js';
import { eventually, startServer } from '../../fixtures/server.js';
import { ask, problemOf } from '../../http/served.js';

const root = mkdtempSync(join(tmpdir(), 'bw-files-'));
afterAll(() => rmSync(root, { recursive: true }));

const LONG_BYTES = 4 * 1024 * 1024;

/** A directory with the files of a small site. */
function site(name: string): string {
  const directory = join(root, name);
  mkdirSync(join(directory, 'docs'), { recursive: true });
  mkdirSync(join(directory, 'empty'));
  writeFileSync(join(directory, 'index.html'), '<h1>home</h1>');
  writeFileSync(join(directory, 'docs/index.html'), '<h1>docs</h1>');
  writeFileSync(join(directory, 'app.js'), '0123456789');
  writeFileSync(join(directory, 'nothing.txt'), '');
  writeFileSync(join(directory, 'noext'), 'x');
  writeFileSync(join(directory, '.env'), 'SECRET=1');
  writeFileSync(join(directory, 'long.bin'), Buffer.alloc(LONG_BYTES, 'abcdefg'));
  return directory;
}

const filesOf = (directory: string, more = '', plugins = ''): string => `
endpoints: { site: { path: "/site/*", files: { directory: ${directory}${more} } } }
plugins: {${plugins}}
`;

async function serving(directory: string, more = '', plugins = '') {
  const server = await startServer(filesOf(directory, more, plugins));
  return (path: string, options: Parameters<typeof ask>[1] = {}) => ask(`${server.url}/site${path}`, options);
}

/** Number of files below `root` that this process, which runs the servers, has open. */
function openBelowRoot(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((target) => target.startsWith(root)).length;
}

/** Asks for a file and reads only the head of the answer. */
function begin(url: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    http.get(`${url}/site${path}`, { agent: false }, resolve).on('error', reject);
  });
}

describe('a directory of files', () => {
  const directory = site('plain');

  test('is served with types, lengths, validators and indexes', async () => {
    const get = await serving(directory, ', cache_control: "public, max-age=60"');
    const script = await get('/app.js');
    expect(script).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/javascript; charset=utf-8',
        'content-length': '10',
        'accept-ranges': 'bytes',
        'cache-control': 'public, max-age=60',
        'last-modified': expect.stringMatching(/GMT$/) as unknown,
        etag: expect.stringMatching(/^"[\w-]+"$/) as unknown,
      },
    });
    expect(script.body.toString()).toBe('0123456789');
    expect((await get('/')).body.toString()).toBe('<h1>home</h1>');
    expect((await get('')).body.toString()).toBe('<h1>home</h1>');
    expect((await get('/docs/')).body.toString()).toBe('<h1>docs</h1>');
    expect((await get('/noext')).headers['content-type']).toBe('application/octet-stream');
    expect(await get('/nothing.txt')).toMatchObject({ status: 200, headers: { 'content-length': '0' } });
    const moved = await get('/docs?a=%20b');
    expect(moved).toMatchObject({ status: 308, headers: { location: '/site/docs/?a=%20b' } });
  });

  test('answers HEAD like GET, without the body, and no other method', async () => {
    const get = await serving(directory);
    for (const path of ['/app.js', '/long.bin', '/docs']) {
      const [whole, head] = [await get(path), await get(path, { method: 'HEAD' })];
      expect(head.status).toBe(whole.status);
      expect({ ...head.headers, 'x-request-id': '', date: '' }).toEqual({
        ...whole.headers,
        'x-request-id': '',
        date: '',
        ...(path === '/docs' ? { 'content-length': head.headers['content-length'] } : {}),
      });
      expect(head.body).toHaveLength(0);
    }
    expect(await get('/app.js', { method: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD, OPTIONS' },
    });
  });

  test('sends one range of a file', async () => {
    const get = await serving(directory);
    const range = (value: string, more = {}) => get('/app.js', { headers: { range: value, ...more } });
    const part = await range('bytes=2-4');
    expect(part).toMatchObject({
      status: 206,
      headers: { 'content-range': 'bytes 2-4/10', 'content-length': '3' },
    });
    expect(part.body.toString()).toBe('234');
    expect((await range('bytes=-2')).body.toString()).toBe('89');
    expect(await range('bytes=10-')).toMatchObject({
      status: 416,
      headers: { 'content-range': 'bytes */10' },
    });
    expect(await range('bytes=0-1,4-5')).toMatchObject({ status: 200, headers: { 'content-length': '10' } });
    const { etag, 'last-modified': modified } = part.headers;
    expect((await range('bytes=2-4', { 'if-range': etag })).status).toBe(206);
    expect((await range('bytes=2-4', { 'if-range': modified })).status).toBe(206);
    expect((await range('bytes=2-4', { 'if-range': '"other"' })).status).toBe(200);
    const long = await get('/long.bin', { headers: { range: `bytes=1-${LONG_BYTES - 2}` } });
    expect(long.status).toBe(206);
    expect(long.body.equals(Buffer.alloc(LONG_BYTES, 'abcdefg').subarray(1, -1))).toBe(true);
  });

  test('answers conditional requests', async () => {
    const get = await serving(directory);
    const { etag, 'last-modified': modified } = (await get('/app.js')).headers;
    const unchanged = await get('/app.js', { headers: { 'if-none-match': etag } });
    expect(unchanged).toMatchObject({ status: 304, headers: { etag, 'last-modified': modified } });
    expect(unchanged.headers).not.toHaveProperty('content-type');
    expect(unchanged.headers).not.toHaveProperty('content-length');
    expect((await get('/app.js', { headers: { 'if-modified-since': modified } })).status).toBe(304);
    const failed = await get('/app.js', { headers: { 'if-match': '"x"' } });
    expect([failed.status, problemOf(failed)['code']]).toEqual([412, 'BW_REQUEST_PRECONDITION']);
  });

  test('has a new entity tag for a file that was replaced', async () => {
    const changing = site('changing');
    const get = await serving(changing);
    const before = (await get('/app.js')).headers.etag;
    writeFileSync(join(changing, 'new'), '9876543210');
    utimesSync(join(changing, 'new'), 1_700_000_000, 1_700_000_000);
    renameSync(join(changing, 'new'), join(changing, 'app.js'));
    const answer = await get('/app.js', { headers: { 'if-none-match': before } });
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'last-modified': 'Tue, 14 Nov 2023 22:13:20 GMT' },
    });
  });

  test('serves nothing that its paths should not reach', async () => {
    const fenced = site('fenced');
    writeFileSync(join(root, 'secret.txt'), 'secret');
    mkdirSync(join(root, 'fenced-sibling'));
    writeFileSync(join(root, 'fenced-sibling/secret.txt'), 'secret');
    symlinkSync('../secret.txt', join(fenced, 'out'));
    symlinkSync('../fenced-sibling', join(fenced, 'sibling'));
    symlinkSync('app.js', join(fenced, 'in.js'));
    symlinkSync('loop', join(fenced, 'loop'));
    execFileSync('mkfifo', [join(fenced, 'pipe')]);
    symlinkSync('/dev/zero', join(fenced, 'zero'));
    const socket = net.createServer().listen(join(fenced, 'socket'));
    const get = await serving(fenced);
    const paths = [
      '/.env',
      '/%2eenv',
      '/..%2fsecret.txt',
      '/%2e%2e%2fsecret.txt',
      '/..%5csecret.txt',
      '/app.js%00.txt',
      '//app.js',
      '/app.js/',
      '/app.js/x',
      '/empty/',
      '/out',
      '/sibling/secret.txt',
      '/sibling/',
      '/loop',
      '/pipe',
      '/zero',
      '/socket',
      '/missing',
      `/${'a'.repeat(300)}`,
      `/${'a/'.repeat(2500)}`,
    ];
    for (const path of paths) {
      const answer = await get(path);
      expect([path, answer.status, problemOf(answer)['code']]).toEqual([path, 404, 'BW_FILE_NOT_FOUND']);
    }
    socket.close();
    expect((await get('/../secret.txt')).status).toBe(404);
    expect((await get('/in.js')).body.toString()).toBe('0123456789');
    const open = await serving(fenced, ', symlinks: follow, dotfiles: allow');
    expect((await open('/out')).body.toString()).toBe('secret');
    expect((await open('/.env')).body.toString()).toBe('SECRET=1');
    for (const path of ['/pipe', '/zero', '/loop', '/..%2fsecret.txt'])
      expect([path, (await open(path)).status]).toEqual([path, 404]);
  });

  test('may itself be a link that a deployment switches', async () => {
    mkdirSync(join(root, 'one'));
    mkdirSync(join(root, 'two'));
    writeFileSync(join(root, 'one/v'), '1');
    writeFileSync(join(root, 'two/v'), '2');
    symlinkSync('one', join(root, 'current'));
    const get = await serving(join(root, 'current'));
    expect((await get('/v')).body.toString()).toBe('1');
    symlinkSync('two', join(root, 'next'));
    renameSync(join(root, 'next'), join(root, 'current'));
    expect((await get('/v')).body.toString()).toBe('2');
  });

  test('with a fallback answers every other path with that file, which is not cached like the others', async () => {
    const get = await serving(directory, ', fallback: index.html, cache_control: "max-age=9"');
    const answer = await get('/users/7');
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' },
    });
    expect((await get('/app.js')).headers['cache-control']).toBe('max-age=9');
    expect((await get('/empty/')).status).toBe(200);
    expect((await get('/.env')).status).toBe(404);
  });

  test('serves compressed variants to clients that accept them', async () => {
    const variants = site('variants');
    writeFileSync(join(variants, 'app.js.gz'), gzipSync('0123456789'));
    const get = await serving(variants, ', precompressed: [br, gzip]');
    const accepting = (value: string) => get('/app.js', { headers: { 'accept-encoding': value } });
    const zipped = await accepting('gzip');
    expect(zipped.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'text/javascript; charset=utf-8',
      vary: 'accept-encoding',
    });
    expect(zipped.body.equals(gzipSync('0123456789'))).toBe(true);
    const plain = await accepting('gzip;q=0');
    expect(plain.body.toString()).toBe('0123456789');
    expect(plain.headers.vary).toBe('accept-encoding');
    expect(plain.headers.etag).not.toBe(zipped.headers.etag);
    // The file of the preferred coding is missing; that of the next one is not.
    expect((await accepting('br, gzip')).headers['content-encoding']).toBe('gzip');
    const tagged = { 'accept-encoding': 'gzip', 'if-none-match': zipped.headers.etag };
    expect(await get('/app.js', { headers: tagged })).toMatchObject({
      status: 304,
      headers: { vary: 'accept-encoding' },
    });
  });

  test('passes hooks like any other answer', async () => {
    const get = await serving(directory, '', ` tag: { path: ${compilePlugin('tag')}, config: { tag: a } } `);
    const answer = await get('/long.bin');
    expect(answer.headers).toMatchObject({ 'x-last': 'a', 'content-length': String(LONG_BYTES) });
    expect(answer.body).toHaveLength(LONG_BYTES);
    expect((await get('/missing')).headers).toMatchObject({ 'x-last': 'a' });
  });
});

const onLinux = process.platform === 'linux' ? test : test.skip;

describe('a file that', () => {
  const HUGE_BYTES = 64 * 1024 * 1024;

  onLinux('cannot be read is a fault of the server, which the log names', async () => {
    const unreadable = site('unreadable');
    // The kernel announces a page of 4096 bytes for this file, and gives fewer.
    symlinkSync('/sys/kernel/uevent_seqnum', join(unreadable, 'page'));
    const server = await startServer(filesOf(unreadable, ', symlinks: follow'));
    const answer = await ask(`${server.url}/site/page`);
    expect([answer.status, problemOf(answer)['code']]).toEqual([503, 'BW_FILE_READ']);
    expect(server.log.filter(({ level }) => level === 'warn')).toMatchObject([
      {
        fields: { code: 'BW_FILE_READ', endpoint: 'site' },
        message: 'page became shorter while it was read',
      },
    ]);
  });

  test('becomes shorter while it is sent cuts the connection, so that the client notices', async () => {
    const shrinking = site('shrinking');
    writeFileSync(join(shrinking, 'huge'), Buffer.alloc(HUGE_BYTES));
    const { url } = await startServer(filesOf(shrinking));
    const answer = await begin(url, '/huge');
    truncateSync(join(shrinking, 'huge'), 1024);
    await expect(received(answer)).rejects.toThrow('aborted');
    expect((await ask(`${url}/site/app.js`)).status).toBe(200);
    await eventually(() => openBelowRoot() === 0, 'closing the file');
  });

  test('grows or vanishes while it is sent is sent as it was announced', async () => {
    const growing = site('growing');
    writeFileSync(join(growing, 'huge'), Buffer.alloc(HUGE_BYTES));
    const { url } = await startServer(filesOf(growing));
    const answer = await begin(url, '/huge');
    appendFileSync(join(growing, 'huge'), 'more');
    unlinkSync(join(growing, 'huge'));
    expect(await received(answer)).toBe(HUGE_BYTES);
    expect((await ask(`${url}/site/huge`)).status).toBe(404);
    await eventually(() => openBelowRoot() === 0, 'closing the file');
  });

  test('is sent to clients that read nothing is held in memory by a few parts, and closed when they leave', async () => {
    const slow = site('slow');
    writeFileSync(join(slow, 'huge'), '');
    truncateSync(join(slow, 'huge'), 2 ** 33);
    const { url } = await startServer(filesOf(slow));
    const before = process.memoryUsage().rss;
    const answers = await Promise.all(Array.from({ length: 50 }, () => begin(url, '/huge')));
    expect(answers.map(({ headers }) => headers['content-length'])).toEqual(
      answers.map(() => String(2 ** 33)),
    );
    expect(openBelowRoot()).toBe(50);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    for (const answer of answers) answer.destroy();
    await eventually(() => openBelowRoot() === 0, 'closing the files');
    const last = await ask(`${url}/site/huge`, { headers: { range: `bytes=${2 ** 33 - 2}-` } });
    expect(last).toMatchObject({ status: 206, body: Buffer.alloc(2) });
  });

  test('is one too many waits for another client to finish', async () => {
    const many = site('many');
    const { url } = await startServer(filesOf(many));
    const answers = await Promise.all(Array.from({ length: 1000 }, () => begin(url, '/long.bin')));
    const refused = await ask(`${url}/site/app.js`);
    expect([refused.status, problemOf(refused)['code'], refused.headers['retry-after']]).toEqual([
      503,
      'BW_FILE_READ',
      '1',
    ]);
    for (const answer of answers) answer.destroy();
    await eventually(() => openBelowRoot() === 0, 'closing the files');
    expect((await ask(`${url}/site/app.js`)).status).toBe(200);
  });
});

describe('a configuration of files', () => {
  const problemsOf = (endpoint: string): string => {
    try {
      parseConfig(`endpoints: { a: ${endpoint} }`, { directory: root });
      return '';
    } catch (error) {
      return String(error);
    }
  };

  test.each([
    [
      '{ path: /a, files: { directory: . } }',
      'configuration:1:25: endpoints.a.path: expected a path that ends in "/*"',
    ],
    ['{ path: "/*", methods: [GET, PUT], files: { directory: . } }', 'files answer GET and HEAD, not PUT'],
    ['{ path: "/*", files: { directory: ., fallback: ../a } }', 'expected a path below the directory'],
    ['{ path: "/*", files: { directory: ., index: a/b } }', 'expected the name of a file'],
    ['{ path: "/*", files: { directory: ., precompressed: [lz4] } }', 'precompressed'],
    [
      '{ path: "/*", files: { directory: . }, plugin: p }',
      'expected one of plugin, response, proxy, files and redirect',
    ],
    ['{ path: "/*", files: {} }', 'directory'],
  ])('%s is refused', (endpoint, message) => {
    expect(problemsOf(endpoint)).toContain(message);
  });

  test('whose directory does not exist prevents the start, and a reload', async () => {
    const missing = join(root, 'nowhere');
    await expect(startServer(filesOf(missing))).rejects.toThrow(
      `endpoint site: ${missing} is not a directory`,
    );
    const server = await startServer(filesOf(site('kept')));
    await expect(server.change(filesOf(missing))).rejects.toThrow('is not a directory');
    expect((await ask(`${server.url}/site/app.js`)).status).toBe(200);
    const report = await server.change(filesOf(site('next'), ', index: app.js'));
    expect(report.endpoints.changed).toEqual(['site']);
    expect((await ask(`${server.url}/site/`)).body.toString()).toBe('0123456789');
  });
});

/** Reads an answer to its end. @returns the length of its body */
async function received(answer: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const chunk of answer) length += (chunk as Buffer).length;
  return length;
}
