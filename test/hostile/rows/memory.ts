import type { Row } from '../row.js';

/** Plugins that take memory, descriptors and threads. */
export const MEMORY: readonly Row[] = [
  {
    id: 'H12',
    does: 'keeps memory in files without a name',
    fixture: 'h12_memfd',
    by: 'seccomp',
    expected: { kind: 'answers', answer: { memfd_create: 'EPERM' }, refused: ['memfd_create'] },
  },
];
