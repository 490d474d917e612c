import type { Row } from '../row.js';

/** Plugins that run code which was not in their library. */
export const OWN_CODE: readonly Row[] = [
  {
    id: 'H46',
    does: 'loads a library it wrote itself, and runs code from memory it wrote to',
    fixture: 'h46_own_code',
    by: 'nothing; the sandbox holds that code too',
    entry: (ground) => {
      const directory = ground.directory('own');
      return `permissions: { filesystem: { write: [${directory}] } }, config: { directory: ${directory} }`;
    },
    expected: {
      kind: 'answers',
      answer: { write: 'ok', load: 'ok', passwd: 'EACCES', written_code: 'ok' },
      refused: ['filesystem.read (open)'],
    },
    uncaught:
      'whoever may write to a directory may run what he wrote there, with no more rights than before.',
  },
];
