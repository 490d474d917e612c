import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encode, run } from './classic-bpf.js';
import {
  ALLOW,
  type Call,
  EAFNOSUPPORT,
  ENOMEM,
  ENOSYS,
  ENOTTY,
  EPERM,
  EPROTONOSUPPORT,
  FATAL,
  filter,
  judge,
  KILL,
  MACHINES,
  machines,
  NUMBERS,
  PID,
  REPORT,
} from './seccomp-filter.js';

type Case = readonly [Call, readonly (number | bigint)[], number];

function check(settings: readonly string[], cases: readonly Case[]): void {
  for (const machine of machines) {
    for (const [name, args, action] of cases) {
      const number = NUMBERS[name][MACHINES[machine].column];
      if (number === null) continue;
      const judged = judge(machine, settings, number, args);
      expect({ machine, name, args, action: judged.toString(16) }).toEqual({
        machine,
        name,
        args,
        action: action.toString(16),
      });
    }
  }
}

const HIGH = 1n << 32n;

describe('without permissions', () => {
  test('ordinary calls are allowed, processes and sockets fail, and attacks are fatal', () => {
    check(
      [],
      [
        ...(['read', 'fstat', 'mprotect', 'brk', 'gettid', 'futex', 'exit_group'] as const).map(
          (name): Case => [name, [], ALLOW],
        ),
        ...(
          ['fork', 'vfork', 'execve', 'execveat', 'setsid', 'setrlimit', 'connect', 'bind', 'listen'] as const
        ).map((name): Case => [name, [], EPERM]),
        ...(['shmget', 'memfd_create', 'chmod', 'setuid', 'rename', 'unlinkat', 'ftruncate'] as const).map(
          (name): Case => [name, [], REPORT],
        ),
        ...(
          [
            'ptrace',
            'process_vm_readv',
            'mount',
            'bpf',
            'io_uring_setup',
            'add_key',
            'userfaultfd',
            'unshare',
          ] as const
        ).map((name): Case => [name, [], FATAL]),
        ['pidfd_getfd', [], FATAL],
        ['clone3', [], ENOSYS],
        ['openat2', [], ENOSYS],
        ['setsockopt', [], EPERM],
        ['file_setattr', [], REPORT],
      ],
    );
  });

  test('threads are allowed, but no processes or namespaces', () => {
    check(
      [],
      [
        ['clone', [0x3d0f00], ALLOW],
        ['clone', [17], EPERM],
        ['clone', [0x4111], EPERM],
        ['clone', [0x40010900], EPERM],
        ['clone', [0x10000n * HIGH], EPERM],
      ],
    );
  });

  test('private memory is allowed, but no growing stacks or huge pages', () => {
    check(
      [],
      [
        ['mmap', [0, 4096, 3, 0x22], ALLOW],
        ['mmap', [0, 4096, 5, 0x802, 4], ALLOW],
        ['mmap', [0, 4096, 3, 0x21], ENOMEM],
        ['mmap', [0, 4096, 3, 0x23], ENOMEM],
        ['mmap', [0, 4096, 1, 0x01, 4], ENOMEM],
        ['mmap', [0, 4096, 3, 0x122], ENOMEM],
        ['mmap', [0, 4096, 3, 0x40022], ENOMEM],
      ],
    );
  });

  test('signals and queries reach only this process', () => {
    check(
      [],
      [
        ['kill', [PID, 9], ALLOW],
        ['kill', [HIGH + BigInt(PID), 9], ALLOW],
        ['kill', [1, 9], EPERM],
        ['kill', [0, 9], EPERM],
        ['kill', [-1, 9], EPERM],
        ['tgkill', [PID, 7, 6], ALLOW],
        ['tgkill', [1, 1, 6], EPERM],
        ['tkill', [1, 6], EPERM],
        ['sched_setaffinity', [0], ALLOW],
        ['sched_setaffinity', [1], EPERM],
        ['prlimit64', [0, 2, 0, 4096], ALLOW],
        ['prlimit64', [PID, 2, 0, 4096], ALLOW],
        ['prlimit64', [1, 2, 0, 4096], EPERM],
        ['prlimit64', [0, 2, 4096, 0], EPERM],
        ['prlimit64', [0, 2, HIGH, 0], EPERM],
        ['rt_sigaction', [11, 4096], ALLOW],
        ['rt_sigaction', [31, 0], ALLOW],
        ['rt_sigaction', [31, 4096], EPERM],
        ['rt_sigaction', [HIGH + 31n, HIGH], EPERM],
        ['prctl', [15], ALLOW],
        ['prctl', [1], EPERM],
        ['prctl', [4, 1], EPERM],
        ['prctl', [22], EPERM],
      ],
    );
  });

  test('files get no set-id bits, no truncation without write access, and few ioctls and fcntls', () => {
    check(
      [],
      [
        ['openat', [-100, 4096, 0x80000, 0], ALLOW],
        ['openat', [-100, 4096, 0o101, 0o644], ALLOW],
        ['openat', [-100, 4096, 0o101, 0o4755], EPERM],
        ['openat', [-100, 4096, 0o20200002, 0o2755], EPERM],
        ['openat', [-100, 4096, 0, 0o4755], ALLOW],
        ['openat', [-100, 4096, 0o1000], EPERM],
        ['openat', [-100, 4096, 0o1003], EPERM],
        ['openat', [-100, 4096, 0o1001], ALLOW],
        ['openat', [-100, 4096, 0o1101, 0o644], ALLOW],
        ['open', [4096, 0o101, 0o6000], EPERM],
        ['open', [4096, 0o1000], EPERM],
        ['ioctl', [1, 0x5401], ALLOW],
        ['ioctl', [1, 0x5412], ENOTTY],
        ['ioctl', [1, HIGH + 0x5412n], ENOTTY],
        ['fcntl', [1, 1030], ALLOW],
        ['fcntl', [1, 8], EPERM],
        ['fcntl', [1, 1031], EPERM],
        ['mkdirat', [-100, 4096, 0o755], REPORT],
      ],
    );
  });

  test('only connected socket pairs are allowed', () => {
    check(
      [],
      [
        ['socket', [2, 1, 0], EPERM],
        ['socket', [1, 1, 0], EPERM],
        ['socketpair', [1, 1], ALLOW],
        ['socketpair', [1, 0o2000005], ALLOW],
        ['socketpair', [1, 2], EPERM],
        ['socketpair', [2, 1], EPERM],
        ['sendto', [3, 4096, 1, 0x4000], ALLOW],
        ['sendto', [3, 4096, 1, 0x20000000], EPERM],
        ['sendmsg', [3, 4096, 0x20004000], EPERM],
        ['sendmmsg', [3, 4096, 1, 0x20000000], EPERM],
      ],
    );
  });

  test.each(machines)('%s: calls of other machines are fatal, and newer calls do not exist', (machine) => {
    const program = filter(machine, []);
    const { architecture } = MACHINES[machine];
    for (const other of [0x40000003, 0xc00000b7, 0xc000003e, 0]) {
      if (other !== architecture) expect(run(program, encode({ architecture: other, number: 0 }))).toBe(KILL);
    }
    const x32 = run(program, encode({ architecture, number: 0x40000000 }));
    expect(x32).toBe(machine === 'x86_64' ? KILL : ENOSYS);
    for (const number of [470, 511, 1000, 0x3fffffff])
      expect(run(program, encode({ architecture, number }))).toBe(ENOSYS);
  });
});

describe('permissions', () => {
  test('filesystem.write allows calls that change names, and shared file mappings', () => {
    check(
      ['write=/data'],
      [
        ['rename', [], ALLOW],
        ['unlinkat', [], ALLOW],
        ['ftruncate', [], ALLOW],
        ['mkdir', [4096, 0o755], ALLOW],
        ['mkdirat', [-100, 4096, 0o2755], EPERM],
        ['creat', [4096, 0o4755], EPERM],
        ['mmap', [0, 4096, 3, 0x01, 4], ALLOW],
        ['mmap', [0, 4096, 3, 0x21], ENOMEM],
        ['chmod', [], REPORT],
      ],
    );
    check(['read=/data'], [['unlinkat', [], REPORT]]);
  });

  test('network.connect allows plain TCP', () => {
    check(
      ['connect=443'],
      [
        ['socket', [2, 1, 0], ALLOW],
        ['socket', [10, 0o2004001, 6], ALLOW],
        ['socket', [HIGH + 2n, HIGH + 1n, HIGH], ALLOW],
        ['socket', [2, 1, 262], EPROTONOSUPPORT],
        ['socket', [2, 2, 0], EPERM],
        ['socket', [2, 3, 1], EPERM],
        ['socket', [1, 1, 0], EAFNOSUPPORT],
        ['socket', [16, 3, 0], EAFNOSUPPORT],
        ['socket', [40, 1, 0], EAFNOSUPPORT],
        ['connect', [], ALLOW],
        ['setsockopt', [], ALLOW],
        ['bind', [], EPERM],
        ['listen', [], EPERM],
        ['sendto', [3, 4096, 1, 0x20000000], EPERM],
      ],
    );
  });

  test('network.listen and network.udp allow what each needs', () => {
    check(
      ['listen=9000'],
      [
        ['bind', [], ALLOW],
        ['listen', [], ALLOW],
        ['socket', [2, 2, 0], EPERM],
      ],
    );
    check(
      ['udp=1'],
      [
        ['socket', [2, 2, 17], ALLOW],
        ['socket', [2, 2, 136], EPROTONOSUPPORT],
        ['socket', [2, 2, 1], EPROTONOSUPPORT],
        ['socket', [2, 1, 0], EPERM],
        ['bind', [], ALLOW],
        ['listen', [], EPERM],
      ],
    );
  });
});

test('the tables give each number to one call only', () => {
  const tables = ['allowed', 'refused'].map((name) =>
    readFileSync(
      fileURLToPath(new URL(`../../../src/runner/sandbox/seccomp_calls_${name}.h`, import.meta.url)),
      'utf8',
    ),
  );
  const rows = [...tables.join('').matchAll(/CALL\((\w+), (\w+), (\w+), [A-Z_]+\)/g)];
  expect(rows.length).toBeGreaterThan(350);
  for (const column of [1, 2, 3]) {
    const values = rows.map((row) => row[column]).filter((value) => value !== 'NONE');
    expect(new Set(values).size).toBe(values.length);
  }
});
