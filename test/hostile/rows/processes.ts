import type { Row } from '../row.js';

/** Plugins that start processes or other programs. */
export const PROCESSES: readonly Row[] = [
  {
    id: 'H15',
    does: 'forks a thousand times',
    fixture: 'h15_fork_bomb',
    by: 'seccomp',
    expected: { kind: 'answers', answer: { fork: 'EPERM', forks: 0 }, refused: ['fork'] },
  },
  {
    id: 'H15',
    does: 'forks with other system calls',
    fixture: 'h15_vfork',
    by: 'seccomp',
    expected: {
      kind: 'answers',
      answer: { vfork: 'EPERM', clone: 'EPERM', clone3: 'ENOSYS' },
      refused: ['clone'],
    },
  },
  {
    id: 'H15',
    does: 'starts a program with posix_spawn()',
    fixture: 'h15_posix_spawn',
    by: 'seccomp',
    expected: { kind: 'answers', answer: { posix_spawn: 'EPERM' }, refused: ['posix_spawn'] },
  },
  {
    id: 'H15',
    does: 'runs shell commands with system() and popen()',
    fixture: 'h15_system',
    by: 'seccomp',
    expected: { kind: 'answers', answer: { system: 0, popen: 0 }, refused: ['popen', 'system'] },
  },
  {
    id: 'H18',
    does: 'replaces itself by a shell',
    fixture: 'h18_exec_shell',
    by: 'seccomp and Landlock',
    expected: {
      kind: 'answers',
      answer: { execve: 'EPERM', execveat: 'EPERM', open_shell: 'EACCES' },
      refused: ['execve', 'execveat', 'filesystem.read (open)'],
    },
  },
];
