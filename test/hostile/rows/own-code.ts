import type { Row } from '../row.js';

/** Plugins that run code which was not in their library. */
export const OWN_CODE: readonly Row[] = [
  {
    id: 'H46',
    does: 'loads a library that it wrote itself, and runs code from memory that it wrote to',
    fixture: 'h46_own_code',
    by: 'nothing; the sandbox applies to that code too',
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
      'a plugin that may write to a directory may run the code it writes there, with the same permissions as before.',
  },
];
