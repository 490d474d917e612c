import { expect } from '@jest/globals';
import type { Ends, Row } from '../row.js';

function aborts(stderr: RegExp): Ends {
  return {
    kind: 'ends',
    outcome: 'crashed',
    code: 'BW_PLUGIN_CRASHED',
    signal: 'SIGABRT',
    stderr,
    pattern: /crashed with SIGABRT during process_endpoint/,
  };
}

/** Plugins that leave a function other than by returning. */
export const CONTROL_FLOW: readonly Row[] = [
  {
    id: 'H32',
    does: 'catches its own SIGSEGV and jumps back',
    fixture: 'h32_recover',
    by: 'nothing; the plugin harms only itself',
    expected: { kind: 'answers', answer: { recovered: 'ok' } },
    uncaught: 'the plugin survives its own crash and answers; nothing else is affected.',
  },
  {
    id: 'H33',
    does: 'jumps into a function that has returned',
    fixture: 'h33_dead_frame',
    by: 'process isolation, if the process crashes',
    expected: {
      kind: 'course',
      run: async ({ server }) => {
        const { status, body } = await server.get('/bad');
        const { failures } = server.plugin('hostile');
        if (status === 200) expect(failures).toEqual([]);
        else expect(body).toMatchObject({ status, plugin: 'hostile', code: failures[0]?.code });
        return { outcome: 'a wrong answer or a crash, by chance', reported: 'a crash' };
      },
    },
    uncaught: 'the behaviour is undefined; an answer that is wrong but well formed is sent.',
  },
  {
    id: 'H34',
    does: 'lets a C++ exception leave a hook',
    fixture: 'h34_throw',
    by: 'the C++ runtime, which ends the process',
    expected: aborts(/std::runtime_error.*\n.*what\(\): +thrown across the boundary/s),
  },
  {
    id: 'H34',
    does: 'throws a number in C++',
    fixture: 'h34_throw_number',
    by: 'the C++ runtime, which ends the process',
    expected: aborts(/terminate called after throwing an instance of 'int'/),
  },
  {
    id: 'H34',
    does: 'panics in Rust',
    fixture: 'h34_rust_panic',
    by: 'the Rust runtime, which ends the process',
    expected: aborts(/thread caused non-unwinding panic\. aborting\./),
  },
  {
    id: 'H34',
    does: 'panics in Go',
    fixture: 'h34_go_panic',
    by: 'the Go runtime, which ends the process',
    expected: aborts(/panic: panicked at \/bad/),
  },
];
