import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer, type Server } from 'node:net';
import { ANSWER, endConversations } from '../../runner/runner-conversation.js';
import { Grounds, SandboxedRunner, USERS } from '../../runner/sandbox/sandboxed-runner.js';

const grounds = new Grounds();
const runner = grounds.runner();
afterEach(endConversations);
afterAll(() => grounds.remove());

function all(names: readonly string[], outcome: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, outcome]));
}

describe.each(USERS)('a plugin in a runner %s', (_, user) => {
  const start = (name: string, settings: readonly string[] = []): Promise<SandboxedRunner> =>
    SandboxedRunner.start(grounds.library(`hostile/${name}`), settings, { program: runner, user });

  test('has no privileges, according to READY and to /proc', async () => {
    const { states, conversation } = await start('h19_socket');
    const status = readFileSync(`/proc/${conversation.pid}/status`, 'utf8');
    const uid = /^Uid:\t(\d+)/m.exec(status)?.[1];
    expect(uid).not.toBe('0');
    expect(states).toEqual(
      expect.arrayContaining([
        'mode=strict',
        'descriptors=closed',
        `uid=${uid}`,
        'capabilities=0',
        'dumpable=0',
        'no_new_privs=1',
        'rlimits=1',
        expect.stringMatching(/^landlock=\d+$/),
        'seccomp=1',
        'self_test=ok',
      ]),
    );
    expect(status).toMatch(new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
    expect(status).toMatch(/^Groups:\t *$/m);
    expect(status).toMatch(/^CapPrm:\t0+$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
  });

  test('gets no more memory of any kind than its limit', async () => {
    const plugin = await start('h09_memory', ['memory=67108864']);
    const { private: taken, ...rest } = await plugin.attempt();
    expect(taken).toBeGreaterThan(32);
    expect(taken).toBeLessThanOrEqual(64);
    expect(rest).toEqual({
      malloc_1_gib: 'ENOMEM',
      shared: 0,
      grows_down: 0,
      memfd: 'EPERM',
      shm: 'EPERM',
      mlock: 'EPERM',
      read_only_1_tib: 'ENOMEM',
    });
  });

  test('inherits no descriptors, opens no more than allowed, and writes no longer files than allowed', async () => {
    const directory = grounds.directory(`limits-${user}`);
    const plugin = await start('h13_descriptors', [
      `write=${directory}`,
      'file_size=2097152',
      'open_files=16',
    ]);
    expect(await plugin.attempt(directory)).toEqual({
      inherited: 0,
      create: 'ok',
      first_mib: 'ok',
      second_mib: 'ok',
      third_mib: 'EFBIG',
      one_more: 'EMFILE',
      opened: 12,
    });
  });

  test('can start threads but no processes', async () => {
    const { system, ...rest } = await (await start('h15_processes')).attempt();
    expect(system).not.toBe(0);
    expect(rest).toEqual({
      ...all(['fork', 'clone', 'clone_thread_in_namespace', 'execve', 'execveat', 'posix_spawn'], 'EPERM'),
      ...(process.arch === 'x64' ? { vfork: 'EPERM' } : {}),
      clone3: 'ENOSYS',
      thread: 'ok',
    });
  });

  test('cannot open sockets', async () => {
    expect(await (await start('h19_socket')).attempt()).toEqual({
      ...all(['tcp', 'tcp6', 'udp', 'raw', 'unix', 'netlink', 'vsock', 'packet'], 'EPERM'),
      ...all(['datagram_pair', 'listen_on_pair'], 'EPERM'),
      pair: 'ok',
    });
  });

  test('can open only the files it needs to load', async () => {
    const directory = grounds.directory(`closed-${user}`);
    const outcome = await (await start('h21_files')).attempt(directory);
    const allowed = Object.keys(outcome).filter((name) => outcome[name] === 'ok');
    expect(allowed).toEqual(['library', 'null']);
  });

  test('can read a directory with filesystem.read, and nothing beyond it', async () => {
    const directory = grounds.directory(`read-${user}`);
    const outcome = await (await start('h21_files', [`read=${directory}`])).attempt(directory);
    const allowed = Object.keys(outcome).filter((name) => outcome[name] === 'ok');
    expect(allowed).toEqual(['library', 'null', 'list', 'read']);
    expect(readFileSync(`${directory}/readme`, 'utf8')).toBe('text');
  });

  test('can change files with filesystem.write, but make no links, modes or special files', async () => {
    const directory = grounds.directory(`write-${user}`);
    const plugin = await start('h21_files', [`write=${directory}`]);
    expect(await plugin.attempt(directory)).toEqual({
      ...all(['passwd', 'parent_environment', 'own_memory', 'escape', 'link_out'], 'EACCES'),
      ...all(['library', 'null', 'list', 'read', 'write', 'create'], 'ok'),
      ...all(['mkdir', 'rename', 'unlink', 'rmdir'], 'ok'),
      ...all(['truncate_read_only', 'create_set_id', 'truncate'], 'EPERM'),
      ...all(['chmod', 'symlink', 'hardlink', 'mkfifo', 'xattr'], 'EPERM'),
    });
  });

  test('cannot loosen its limits, disturb other processes or hide', async () => {
    const outcome = await (await start('h27_loosen')).attempt('/bad');
    const refused = Object.keys(outcome).filter((name) => outcome[name] === 'EPERM');
    expect(outcome).toEqual({
      ...all(refused, 'EPERM'),
      ...all(['read_limit', 'name', 'kill_self'], 'ok'),
      inject_input: 'ENOTTY',
      newer_call: 'ENOSYS',
    });
    expect(refused).toHaveLength(17);
  });

  test('is sandboxed while its constructor runs', async () => {
    expect(await (await start('h35_constructor')).attempt('/bad')).toEqual({ constructor: 'EACCES' });
  });

  test('has its refused operations reported', async () => {
    const plugin = await start('h09_memory');
    await plugin.attempt();
    const reports = [await plugin.conversation.next(), await plugin.conversation.next()];
    expect(reports.map(({ type, detail, value }) => [type, detail, value])).toEqual([
      [ANSWER.REFUSED, 0, 1],
      [ANSWER.REFUSED, 0, 1],
    ]);
    expect(reports.map(({ payload }) => payload.toString()).sort()).toEqual([
      'memfd_create\0\0',
      'shmget\0\0',
    ]);
    // A refusal is reported again when it happens for the fourth time, and not before.
    await plugin.attempt();
    await plugin.attempt();
    expect(await plugin.attempt()).toHaveProperty('memfd', 'EPERM');
    expect([await plugin.conversation.next(), await plugin.conversation.next()]).toMatchObject([
      { type: ANSWER.REFUSED, value: 3 },
      { type: ANSWER.REFUSED, value: 3 },
    ]);
  });
});

describe('network.connect', () => {
  const servers: Server[] = [];
  const connections: number[] = [];

  async function listen(): Promise<number> {
    const server = createServer((socket) => {
      connections.push((server.address() as AddressInfo).port);
      socket.on('error', () => undefined).end();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }
  afterAll(() => servers.forEach((server) => server.close()));

  test.each(USERS)('opens one port and no way around the rule, %s', async (_, user) => {
    const granted = await listen();
    const other = await listen();
    const library = grounds.library('hostile/h20_ports');
    const plugin = await SandboxedRunner.start(library, [`connect=${granted}`], { program: runner, user });
    expect(await plugin.attempt(String(granted), String(other))).toEqual({
      granted: 'ok',
      ...all(['other', 'fast_open_connect'], 'EACCES'),
      ...all(['fast_open', 'fast_open_message', 'udp', 'bind', 'listen'], 'EPERM'),
      multipath: 'EPROTONOSUPPORT',
      unix: 'EAFNOSUPPORT',
    });
    const last = await listen();
    // Anything the plugin sent would have arrived by now.
    await new Promise((resolve) => createConnection(last, '127.0.0.1').once('close', resolve).resume());
    expect(connections).toContain(granted);
    expect(connections).not.toContain(other);
  });
});
