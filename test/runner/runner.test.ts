import { afterEach, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import {
  ANSWER,
  call,
  Conversation,
  endConversations,
  frame,
  hello,
  initialize,
  load,
  SERVER,
  shutdown,
  VERSION,
} from './runner-conversation.js';

afterEach(endConversations);

const PROTOCOL_ERROR = { code: 76, signal: null };

describe('handshake', () => {
  test('the runner sends HELLO first, with its version', async () => {
    const runner = new Conversation();
    expect(await runner.next()).toMatchObject({ type: ANSWER.HELLO, id: 0, detail: 0, value: VERSION });
  });

  test.each([0, 1, VERSION - 1, VERSION + 1, -1])(
    'the runner ends when the server has version %d',
    async (version) => {
      const runner = new Conversation();
      runner.send(hello(version));
      expect(await runner.ended).toEqual(PROTOCOL_ERROR);
    },
  );

  test('a server may send all frames after its HELLO at once', async () => {
    const runner = new Conversation();
    runner.send(
      hello(),
      load(compilePlugin('echo')),
      initialize(),
      call(3, 'process_endpoint', ['/', 'GET', '{"a":1}']),
      shutdown(4),
    );
    expect(await runner.ended).toEqual({ code: 0, signal: null });
    expect(runner.remaining().map(({ type, id }) => [type, id])).toEqual([
      [ANSWER.HELLO, 0],
      [ANSWER.LOADED, 1],
      [ANSWER.STATUS, 2],
      [ANSWER.REPLY, 3],
      [ANSWER.STATUS, 4],
    ]);
  });

  test('frames may arrive byte by byte', async () => {
    const runner = new Conversation();
    const bytes = Buffer.concat([hello(), load(compilePlugin('echo')), initialize()]);
    for (const byte of bytes) {
      runner.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await runner.expect(ANSWER.HELLO);
    await runner.expect(ANSWER.LOADED);
    expect(await runner.expect(ANSWER.STATUS)).toMatchObject({ id: 2, value: 0 });
  });
});

describe('a frame in the wrong state', () => {
  const path = (): string => compilePlugin('echo');

  test.each<[string, () => Buffer[]]>([
    ['LOAD before HELLO', () => [load(path())]],
    ['SHUTDOWN before HELLO', () => [shutdown()]],
    ['a second HELLO', () => [hello(), hello()]],
    ['INITIALIZE before LOAD', () => [hello(), initialize()]],
    ['a second LOAD', () => [hello(), load(path()), load(path())]],
    ['CALL before INITIALIZE', () => [hello(), load(path()), call(5, 'before_request', ['{}'])]],
    ['a second INITIALIZE', () => [hello(), load(path()), initialize(), initialize()]],
    ['HEALTH_CHECK before INITIALIZE', () => [hello(), load(path()), frame(SERVER.HEALTH_CHECK, 5, 0, 0)]],
    ['RECONFIGURE before LOAD', () => [hello(), frame(SERVER.RECONFIGURE, 5, 0, 0, ['{}'])]],
    [
      'CALL after initialize() refused',
      () => [
        hello(),
        load(compilePlugin('initialize_fails')),
        initialize(),
        call(5, 'process_endpoint', ['/', 'GET', '{}']),
      ],
    ],
  ])('%s ends the runner', async (_, frames) => {
    const runner = new Conversation();
    runner.send(...frames());
    expect(await runner.ended).toEqual(PROTOCOL_ERROR);
  });
});

describe('malformed frames', () => {
  test.each<[string, Buffer]>([
    ['type 0', frame(0, 1, 0, 0)],
    ['type 8', frame(8, 1, 0, 0)],
    ['a type of the runner', frame(ANSWER.REPLY, 1, 0, 0)],
    ['type 255', frame(255, 1, 0, 0)],
    ['hook 4', frame(SERVER.CALL, 1, 4, -1, ['{}'])],
    ['hook 255', frame(SERVER.CALL, 1, 255, -1, [])],
    ['one argument too few', frame(SERVER.CALL, 1, 2, -1, ['/', 'GET'])],
    ['one argument too many', frame(SERVER.CALL, 1, 0, -1, ['{}', '{}'])],
    ['no argument', frame(SERVER.CALL, 1, 0, -1, [])],
    ['an argument without its NUL', frame(SERVER.CALL, 1, 0, -1, Buffer.from('{}'))],
    ['text behind the last NUL', frame(SERVER.CALL, 1, 0, -1, Buffer.from('{}\0x'))],
    ['a payload where none belongs', frame(SERVER.HEALTH_CHECK, 1, 0, 0, [''])],
    ['reserved bytes', Buffer.concat([call(1, 'before_request', ['{}'])]).fill(1, 10, 11)],
  ])('%s: the runner sends its pending answers and ends', async (_, bytes) => {
    const runner = await Conversation.ready(compilePlugin('echo'));
    runner.send(call(3, 'process_endpoint', ['/', 'GET', '"before"']), bytes);
    expect(await runner.ended).toEqual(PROTOCOL_ERROR);
    expect(runner.remaining().map(({ id, payload }) => [id, payload.toString()])).toEqual([[3, '"before"']]);
  });

  test.each([16 * 1024 * 1024 + 1, 0xffff_ffff])(
    'refuses a length of %d by the header alone',
    async (length) => {
      const runner = await Conversation.ready(compilePlugin('echo'));
      const header = frame(SERVER.CALL, 1, 0, -1);
      header.writeUInt32LE(length, 0);
      runner.send(header);
      expect(await runner.ended).toEqual(PROTOCOL_ERROR);
    },
  );

  test('refuses a negative reply limit', async () => {
    const runner = new Conversation();
    runner.send(hello(), load(compilePlugin('echo'), -1));
    expect(await runner.ended).toEqual(PROTOCOL_ERROR);
  });
});
