import type { Row } from '../row.js';

/** Plugins that end their own process. */
export const CRASHES: readonly Row[] = [
  {
    id: 'H01',
    does: 'writes through a null pointer',
    fixture: 'h01_null_dereference',
    by: 'a process of its own',
    expected: {
      kind: 'ends',
      outcome: 'crashed',
      code: 'BW_PLUGIN_CRASHED',
      signal: 'SIGSEGV',
      at: /\+0x[0-9a-f]+$/,
      told: /crashed with SIGSEGV during process_endpoint at /,
    },
  },
];
