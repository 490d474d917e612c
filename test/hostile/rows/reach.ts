import { expect } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Row } from '../row.js';
import { violated } from './endings.js';

const all = (names: readonly string[], result: string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, result]));

/** Operations that filesystem.write allows, and operations that no permission allows. */
const CHANGES = ['create', 'write', 'mkdir', 'unlink'];
const NEVER = ['create_set_id', 'chmod', 'chown', 'xattr', 'symlink', 'hardlink', 'mkfifo'];
const named = (kind: string, names: readonly string[]): string[] => names.map((name) => `${kind}_${name}`);

/** Plugins that access the network, files and the server. */
export const REACH: readonly Row[] = [
  {
    id: 'H19',
    does: 'opens sockets of every kind without a permission',
    fixture: 'h19_sockets',
    by: 'seccomp',
    expected: {
      kind: 'answers',
      answer: all(
        ['tcp', 'tcp6', 'udp', 'raw', 'unix', 'vsock', 'netlink', 'packet', 'datagram_pair', 'listen'],
        'EPERM',
      ),
      refused: ['listen', 'network.connect (socket)', 'network.udp (socket)', 'socket', 'socketpair'],
    },
  },
  {
    id: 'H20',
    does: 'connects to a port that was not granted',
    fixture: 'h20_other_port',
    entry: async (ground) => {
      const [granted, other] = [await ground.listen(), await ground.listen()];
      return `permissions: { network: { connect: [${granted}] } }, config: { granted: "${granted}", other: "${other}" }`;
    },
    by: 'Landlock, and seccomp for the ways around Landlock',
    expected: {
      kind: 'answers',
      answer: {
        granted: 'ok',
        ...all(['other', 'fast_open_connect'], 'EACCES'),
        ...all(['fast_open', 'fast_open_message', 'udp', 'bind', 'listen'], 'EPERM'),
        multipath: 'EPROTONOSUPPORT',
        ...all(['unix', 'vsock'], 'EAFNOSUPPORT'),
      },
      refused: [
        ...['network.connect (connect)', 'network.listen (bind)', 'network.listen (listen)'],
        ...['network.udp (socket)', 'sendmsg', 'sendto', 'socket'],
      ],
    },
    also: async ({ ground }) => {
      const [granted] = ground.ports;
      await ground.settle();
      expect(ground.connections).toEqual([granted]);
    },
  },
  {
    id: 'H21',
    does: 'reads outside the directory it may read',
    fixture: 'h21_reads_files',
    entry: (ground) => {
      const directory = ground.directory('own');
      writeFileSync(join(ground.directory('other'), '.env'), 'SECRET=1');
      return `permissions: { filesystem: { read: [${directory}] } }, config: { directory: ${directory} }`;
    },
    by: 'Landlock',
    expected: {
      kind: 'answers',
      answer: {
        granted: 'ok',
        ...all(['dot_dot', 'link', 'secret', 'passwd', 'root', 'own_memory'], 'EACCES'),
      },
      refused: ['filesystem.read (open)'],
    },
  },
  {
    id: 'H22',
    does: 'changes files it may only read, and changes files in ways no plugin may',
    fixture: 'h22_changes_files',
    entry: (ground) => {
      const [read, write] = [ground.directory('read'), ground.directory('write')];
      const permissions = `permissions: { filesystem: { read: [${read}], write: [${write}] } }`;
      return `${permissions}, config: { read: ${read}, write: ${write} }`;
    },
    by: 'Landlock and seccomp',
    expected: {
      kind: 'answers',
      answer: {
        ...all(named('read', CHANGES), 'EACCES'),
        ...all(named('write', CHANGES), 'ok'),
        ...all([...named('read', NEVER), ...named('write', NEVER)], 'EPERM'),
      },
      refused: [
        ...['chmod', 'chown', 'setxattr', 'symlink', 'link', 'mknod', 'open'],
        ...['filesystem.write (mkdir)', 'filesystem.write (open)', 'filesystem.write (unlink)'],
      ],
    },
    also: ({ ground }) => {
      const read = ground.directories[0] ?? '';
      expect(readdirSync(read).sort()).toEqual(['link', 'readme']);
      expect(readFileSync(join(read, 'readme'), 'utf8')).toBe('text');
      expect(existsSync(join(dirname(read), 'write', 'set-id'))).toBe(false);
    },
  },
  {
    id: 'H23',
    does: 'attaches to the server with ptrace()',
    fixture: 'h23_ptrace',
    by: 'seccomp; another user when the server runs as root',
    expected: violated('ptrace'),
  },
  {
    id: 'H23',
    does: "reads the server's memory",
    fixture: 'h23_process_vm_readv',
    by: 'seccomp; another user when the server runs as root',
    expected: violated('process_vm_readv'),
  },
  {
    id: 'H23',
    does: "reads the server's environment and files in /proc",
    fixture: 'h23_server_secrets',
    by: 'Landlock; an empty environment',
    expected: {
      kind: 'answers',
      answer: {
        ...all(['environ', 'mem', 'maps', 'cmdline', 'fd/0', 'own_environ'], 'EACCES'),
        variables: 'ok',
      },
      refused: ['filesystem.read (open)'],
    },
  },
  {
    id: 'H24',
    does: 'sends signals to the server and to every process',
    fixture: 'h24_signals',
    by: 'seccomp, which checks the receiver',
    expected: {
      kind: 'answers',
      answer: all(
        ['kill_parent', 'kill_all', 'kill_group', 'kill_parent_group', 'tkill', 'tgkill'].concat([
          'rt_sigqueueinfo',
          'rt_tgsigqueueinfo',
        ]),
        'EPERM',
      ),
      refused: ['kill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'tgkill', 'tkill'],
    },
  },
  {
    id: 'H54',
    does: 'reads private keys next to the certificates it may read',
    fixture: 'h54_reads_keys',
    entry: 'permissions: { network: { connect: [443] } }',
    by: 'Landlock',
    expected: {
      kind: 'answers',
      answer: { certificates: 'ok', all: 'EACCES' },
      refused: ['filesystem.read (open)'],
    },
  },
  {
    id: 'H55',
    does: 'listens on a port that the kernel chooses',
    fixture: 'h55_listens_unbound',
    entry: async (ground) => {
      const granted = await ground.freePort();
      return `permissions: { network: { listen: [${granted}] } }, config: { granted: "${granted}" }`;
    },
    by: 'the runner, in listen() of the C library; nothing contains the direct system call',
    uncaught:
      'the direct system call succeeds, on a port that the kernel chooses, because the kernel consults neither Landlock nor seccomp.',
    expected: {
      kind: 'answers',
      answer: {
        ...{ bind: 'ok', listen: 'ok', bind_to_any_port: 'EACCES' },
        ...{ unbound: 'EPERM', unbound6: 'EPERM', unbound_by_system_call: 'ok' },
      },
      refused: ['network.listen (bind)', 'network.listen (listen)'],
    },
  },
];
