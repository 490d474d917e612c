import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { compilePlugin } from '../../fixtures/compile.js';
import {
  ANSWER,
  call,
  Conversation,
  endConversations,
  FAILURE,
  hello,
  initialize,
  load,
} from '../../runner/runner-conversation.js';
import { SupervisedPlugin } from './supervised-plugin.js';

const directory = mkdtempSync(join(tmpdir(), 'backworks-verified-'));
chmodSync(directory, 0o755);
afterEach(endConversations);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

function place(fixture: string, name: string): string {
  const path = join(directory, name);
  copyFileSync(compilePlugin(fixture), `${path}.new`);
  renameSync(`${path}.new`, path);
  return path;
}

const open = (
  libraryPath: string,
  libraryDigest: string,
  libraryInPlace = false,
): Promise<SupervisedPlugin> =>
  SupervisedPlugin.open({ options: { libraryPath, libraryDigest, libraryInPlace } });

test.each([false, true])('a library with another digest is not loaded; in place: %s', async (inPlace) => {
  const path = place('names_itself', `names-${inPlace}.so`);
  const digest = digestOf(path);
  place('echo', `names-${inPlace}.so`);
  await expect(open(path, digest, inPlace)).rejects.toMatchObject({
    code: 'BW_LIBRARY_CHANGED',
    message: `the library of plugin supervised changed after it was checked: ${path}: its contents have changed`,
  });
});

test('a missing library is reported as missing', async () => {
  await expect(open(join(directory, 'none.so'), 'f'.repeat(64))).rejects.toMatchObject({
    code: 'BW_LIBRARY_CHANGED',
  });
});

test('a later process does not load a changed library, and serving processes continue', async () => {
  const path = place('names_itself', 'later.so');
  const plugin = await open(path, digestOf(path));
  const { pid } = plugin.processes()[0]!;
  place('echo', 'later.so');
  await expect(plugin.restart()).rejects.toMatchObject({ code: 'BW_LIBRARY_CHANGED' });
  expect(plugin.worker()).toBe(pid);
  place('names_itself', 'later.so');
  await plugin.restart();
  expect(plugin.worker()).not.toBe(pid);
  await plugin.close();
});

test('a library loaded from an open file knows its path', async () => {
  const path = place('names_itself', 'named.so');
  const plugin = await open(path, digestOf(path));
  const { answer } = await plugin.call('/');
  expect(JSON.parse(answer ?? '')).toEqual({ called: path, constructor: '/proc/self/fd/7', open: false });
  await plugin.close();
});

test('an undefined symbol is reported with the path of the library', async () => {
  const path = place('hostile/h37_undefined_symbol', 'undefined.so');
  await expect(open(path, digestOf(path))).rejects.toMatchObject({
    code: 'BW_PLUGIN_LOAD',
    message: expect.stringMatching(new RegExp(`${path}: undefined symbol: missing_from_every_library`)),
  });
});

/** A runner that gets `opened` as descriptor 7 and must load `path`. */
async function started(opened: string, path: string, from: number): Promise<Conversation> {
  const descriptor = openSync(opened, 'r');
  const conversation = new Conversation(undefined, { library: descriptor });
  closeSync(descriptor);
  conversation.send(hello(), load(path, undefined, from), initialize());
  await conversation.expect(ANSWER.HELLO);
  return conversation;
}

test('the runner loads the open file even if the path leads to another file by then', async () => {
  mkdirSync(join(directory, 'race'));
  const [checked, other] = [place('names_itself', 'race/checked.so'), place('echo', 'race/other.so')];
  const conversation = await started(checked, other, 1);
  await conversation.expect(ANSWER.LOADED);
  await conversation.expect(ANSWER.STATUS);
  conversation.send(call(7, 'process_endpoint', ['/', 'GET', 'null']));
  const { payload } = await conversation.expect(ANSWER.REPLY);
  expect(JSON.parse(payload.toString())).toMatchObject({ called: other });
});

test('a library used in place is not loaded when its path leads to another file', async () => {
  const [checked, other] = [place('names_itself', 'here.so'), place('echo', 'there.so')];
  const { detail, payload } = await (await started(checked, other, 2)).expect(ANSWER.FAILED);
  expect([detail, payload.toString()]).toEqual([
    FAILURE.LOAD,
    `${other}: the file was replaced before it was loaded`,
  ]);
  await (await started(checked, checked, 2)).expect(ANSWER.LOADED);
});
