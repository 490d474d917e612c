/** What `plugin validate` reads from the trace of a process. */
import { expect, test } from '@jest/globals';
import { usedBy } from '../../dist/validation/recorded-use.js';
import { parseLine, textsOf } from '../../dist/validation/system-call-trace.js';

const used = (...lines: string[]) =>
  usedBy(
    lines.map((line) => {
      const call = parseLine(`1764460000.000001 ${line}`);
      if (call === null) throw new Error(`not a call: ${line}`);
      return call;
    }),
  );

test('a line of strace is read into name, arguments, result and error', () => {
  expect(parseLine('17.5 openat(AT_FDCWD</>, "/a)=1", O_RDONLY) = 8</a)=1>')).toEqual({
    atS: 17.5,
    name: 'openat',
    args: 'AT_FDCWD</>, "/a)=1", O_RDONLY',
    result: 8,
    error: null,
  });
  expect(
    parseLine('1.0 connect(4<socket:[1]>, {sa_family=AF_INET}, 16) = -1 EPERM (Not permitted)'),
  ).toMatchObject({
    result: -1,
    error: 'EPERM',
  });
  expect(parseLine('1.0 read(3<pipe:[1]>, <unfinished ...>')).toMatchObject({ name: 'read', result: null });
  expect(parseLine('1.0 mmap(NULL, 1, PROT_READ) = 0x7f00')).toMatchObject({ result: null, error: null });
  expect(parseLine('1.0 open("/x) = 5", O_RDONLY) = -1 EACCES (Permission denied)')).toMatchObject({
    error: 'EACCES',
  });
  for (const other of ['', '+++ exited with 0 +++', '--- SIGSEGV ---', '1.0 '])
    expect(parseLine(other)).toBeNull();
});

test('texts lose their escapes, and stay bytes', () => {
  expect(textsOf(String.raw`"a\"b\\", 1, "\0\1772\n\xff\303\274"...`)).toEqual([
    'a"b\\',
    '\u0000\u007f2\n\u00ff\u00c3\u00bc',
  ]);
});

test('files are told once, with whole paths and what was done with them', () => {
  const { files, calls } = used(
    'openat(AT_FDCWD</srv>, "data/../x.db", O_RDWR|O_CREAT, 0600) = 9</srv/x.db>',
    'openat(AT_FDCWD</srv>, "/srv/x.db", O_RDWR) = 9</srv/x.db>',
    'openat(7</srv>, "\\303\\274", O_RDONLY) = -1 ENOENT (No such file or directory)',
    'openat(AT_FDCWD</>, "/etc/shadow", O_RDONLY) = -1 EACCES (Permission denied)',
    'openat(AT_FDCWD</>, "/proc/812/task/813/comm", O_RDONLY) = 9',
    'renameat2(AT_FDCWD</srv>, "a", 7</tmp>, "b", 0) = 0',
    'execve("/bin/sh", ["sh", "-c", "x"], 0x7ff) = -1 EPERM (Operation not permitted)',
    'write(1<pipe:[1]>, "x", 1) = 1',
  );
  expect(files).toEqual([
    { path: '/bin/sh', access: 'execute', result: 'refused' },
    { path: '/etc/shadow', access: 'read', result: 'refused' },
    { path: '/proc/self/comm', access: 'read', result: 'done' },
    { path: '/srv/a', access: 'write', result: 'done' },
    { path: '/srv/x.db', access: 'write', result: 'done' },
    { path: '/srv/ü', access: 'read', result: 'failed' },
    { path: '/tmp/b', access: 'write', result: 'done' },
  ]);
  expect(calls).toEqual(['execve', 'openat', 'renameat2']);
});

test('sockets are told with their address and the permission that they need', () => {
  const { sockets } = used(
    'socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 9<socket:[1]>',
    'socket(AF_INET6, SOCK_DGRAM, IPPROTO_IP) = -1 EPERM (Operation not permitted)',
    'connect(9<socket:[1]>, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 EINPROGRESS (Operation now in progress)',
    'bind(9<socket:[1]>, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = -1 EACCES (Permission denied)',
    'connect(9<socket:[1]>, {sa_family=AF_UNIX, sun_path="/run/x.sock"}, 110) = -1 ECONNREFUSED (Connection refused)',
  );
  expect(sockets).toEqual([
    { call: 'bind', address: 'inet6 ::1:80', permission: 'network.listen', result: 'refused' },
    { call: 'connect', address: 'inet 192.0.2.1:443', permission: 'network.connect', result: 'done' },
    { call: 'connect', address: 'unix /run/x.sock', permission: null, result: 'failed' },
    { call: 'socket', address: 'inet stream', permission: 'network.connect', result: 'done' },
    { call: 'socket', address: 'inet6 dgram', permission: 'network.udp', result: 'refused' },
  ]);
});

test('memory, threads, time and what runtimes look at on their own are not told', () => {
  expect(
    used(
      'mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000',
      'clone3({flags=CLONE_VM|CLONE_THREAD, stack=0x7f}, 88) = 812',
      'prlimit64(0, RLIMIT_DATA, NULL, {rlim_cur=1, rlim_max=1}) = 0',
      'openat(AT_FDCWD</>, "/sys/devices/system/cpu/online", O_RDONLY) = -1 EACCES (Permission denied)',
      'futex(0x7f, FUTEX_WAIT_PRIVATE, 0, NULL) = 0',
    ),
  ).toEqual({ calls: [], files: [], sockets: [] });
  expect(
    used('clone(child_stack=NULL, flags=SIGCHLD) = 9', 'prlimit64(0, RLIMIT_AS, {rlim_cur=1}, NULL) = 0')
      .calls,
  ).toEqual(['clone', 'prlimit64']);
});

test('the list of files has a limit', () => {
  const lines = Array.from({ length: 150 }, (_, index) => `open("/f${index}", O_RDONLY) = 4</f>`);
  expect(used(...lines).files).toHaveLength(100);
});
