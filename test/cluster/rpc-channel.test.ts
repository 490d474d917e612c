import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, expect, test } from '@jest/globals';
import { type Channel, RpcChannel } from '../../dist/cluster/rpc-channel.js';
import { BackworksError } from '../../dist/errors.js';

/** Both ends of a channel that clones its messages, as the channel between two processes does. */
interface Procedures {
  double(n: number): number;
  refuse(): never;
  wait(): Promise<void>;
  unknown(): void;
}
interface End {
  readonly rpc: RpcChannel<Procedures, object>;
  readonly violations: BackworksError[];
  /** Sends arbitrary values to the other end. */
  readonly raw: MessagePort;
}

const open: MessagePort[] = [];
afterEach(() => open.splice(0).forEach((port) => port.close()));

const procedures = {
  double: (n: number) => 2 * n,
  refuse: () => {
    throw new BackworksError('BW_PLUGIN_STATE', 'not now', { hint: 'later' });
  },
  wait: () => new Promise<void>(() => undefined),
};

function connect(): { here: End; there: End } {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const end = (raw: MessagePort): End => {
    const channel: Channel = {
      send: (message) => raw.postMessage(message),
      onMessage: (listener) => void raw.on('message', listener),
    };
    const violations: BackworksError[] = [];
    return {
      rpc: new RpcChannel(channel, procedures, (e) => violations.push(e)),
      violations,
      raw,
    };
  };
  return { here: end(port1), there: end(port2) };
}

test('a call returns the result, or throws an error with the same code, message and hint', async () => {
  const { call } = connect().here.rpc;
  await expect(call('double', 21)).resolves.toBe(42);
  await expect(call('refuse')).rejects.toMatchObject({
    code: 'BW_PLUGIN_STATE',
    message: 'not now',
    hint: 'later',
  });
});

test.each(['unknown', 'toString', 'constructor', '__proto__'])(
  'a call of the unknown procedure %s fails with its name, and the channel stays open',
  async (name) => {
    const { here, there } = connect();
    await expect(here.rpc.call(name as 'unknown')).rejects.toMatchObject({
      code: 'BW_INTERNAL',
      message: `unknown procedure "${name}" called between primary and worker`,
    });
    await expect(here.rpc.call('double', 1)).resolves.toBe(2);
    expect(there.violations).toEqual([]);
  },
);

test('a call whose argument cannot be cloned fails, and the next call succeeds', async () => {
  const { call } = connect().here.rpc;
  await expect(call('double', (() => 1) as never)).rejects.toMatchObject({ code: 'BW_INTERNAL' });
  await expect(call('double', 2)).resolves.toBe(4);
});

test.each([
  ['not an object', 'nonsense', "'nonsense'"],
  ['null', null, 'null'],
  ['a list', [], '[]'],
  ['of an unknown kind', { kind: 'greeting', id: 1 }, "{ kind: 'greeting', id: 1 }"],
  [
    'a call without arguments',
    { kind: 'call', id: 1, name: 'double' },
    "{ kind: 'call', id: 1, name: 'double' }",
  ],
  ['an answer without a number', { kind: 'answer', value: 1 }, "{ kind: 'answer', value: 1 }"],
  [
    'a failure of an unknown code',
    { kind: 'failure', id: 1, error: { code: 'NO', message: '' } },
    "{ kind: 'failure', id: 1, error: { code: 'NO', message: '' } }",
  ],
  ['very long', 'x'.repeat(1000), `'${'x'.repeat(40)}'... 960 more characters`],
])('a message that is %s fails every call and is reported once', async (_, message, shown) => {
  const { here, there } = connect();
  const waiting = here.rpc.call('wait');
  there.raw.postMessage(message);
  there.raw.postMessage(message);
  const error = {
    code: 'BW_SERVER_WORKER',
    message: `the other process sent an unknown message: ${shown}`,
  };
  await expect(waiting).rejects.toMatchObject(error);
  await expect(here.rpc.call('double', 1)).rejects.toMatchObject(error);
  expect(here.violations).toMatchObject([error]);
});

test.each(['answer', 'failure'])(
  'the message "%s" for a call that was never made is reported',
  async (kind) => {
    const { here, there } = connect();
    const waiting = here.rpc.call('wait');
    const error = { code: 'BW_INTERNAL', message: 'no', hint: undefined };
    there.raw.postMessage({ kind, id: 99, value: 1, error });
    await expect(waiting).rejects.toMatchObject({
      code: 'BW_SERVER_WORKER',
      message: 'the other process answered call 99, which is not open',
    });
    expect(here.violations).toHaveLength(1);
  },
);

test('a second answer to one call is reported', async () => {
  const { here, there } = connect();
  const first = here.rpc.call('wait');
  there.raw.postMessage({ kind: 'answer', id: 1, value: undefined });
  await expect(first).resolves.toBeUndefined();
  const second = here.rpc.call('wait');
  there.raw.postMessage({ kind: 'answer', id: 1, value: undefined });
  await expect(second).rejects.toMatchObject({ message: expect.stringContaining('answered call 1') });
});

test('messages after end() are ignored', async () => {
  const { here, there } = connect();
  const over = new BackworksError('BW_SERVER_WORKER', 'over');
  const waiting = here.rpc.call('double', 1);
  here.rpc.end(over);
  await expect(waiting).rejects.toBe(over);
  there.raw.postMessage('nonsense');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(here.violations).toEqual([]);
});
