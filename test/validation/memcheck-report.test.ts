/** What `plugin validate` reads from a report of valgrind. */
import { expect, test } from '@jest/globals';
import { memoryErrors } from '../../dist/validation/memcheck-report.js';

const digest = 'ab'.repeat(32);
const library = { digest, name: 'libown.so' };

const frame = (obj: string, fn: string, place = ''): string =>
  `<frame><ip>0x1</ip><obj>${obj}</obj><fn>${fn}</fn>${place}</frame>`;
const own = frame(
  `/var/cache/${digest}.so`,
  'parse&lt;int&gt;',
  '<dir>/src</dir><file>own.cpp</file><line>7</line>',
);
const runner = frame('/usr/bin/backworks-runner', 'main');
const inLibc = frame('/usr/lib/libc.so.6', 'memcpy');
const error = (kind: string, what: string, ...stacks: string[]): string =>
  `<error><kind>${kind}</kind>${what}${stacks.join('')}</error>`;
const stack = (...frames: string[]): string => `<stack>${frames.join('')}</stack>`;

test('an error is told with the functions of the plugin, and without addresses', () => {
  const text = error(
    'InvalidWrite',
    '<what>Invalid write of size 1</what>',
    stack(inLibc, own, runner),
    "<auxwhat>Address 0x4a is 0 bytes after a block of size 8 alloc'd</auxwhat>",
    stack(inLibc, own, runner),
  );
  expect(memoryErrors(text, library)).toEqual([
    {
      kind: 'error',
      text: "Invalid write of size 1, 0 bytes after a block of size 8 alloc'd",
      frames: [{ at: 'libown.so', own: true, function: 'parse<int>', file: '/src/own.cpp', line: 7 }],
    },
  ]);
});

test('an error belongs to the plugin when the plugin allocated the memory', () => {
  const what = '<what>Use of uninitialised value of size 8</what>';
  const made = '<auxwhat>Uninitialised value was created by a heap allocation</auxwhat>';
  const text = error('UninitValue', what, stack(runner), made, stack(inLibc, own));
  expect(memoryErrors(text, library)).toEqual([
    expect.objectContaining({
      text: 'Use of uninitialised value of size 8, uninitialised value was created by a heap allocation',
    }),
  ]);
});

test('errors of the runner and of the system are left out', () => {
  const text = error('InvalidRead', '<what>Invalid read of size 4</what>', stack(inLibc, runner));
  expect(memoryErrors(text, library)).toEqual([]);
});

test('lost memory is told with its size, and a report may end in the middle', () => {
  const lost =
    '<xwhat><text>48 bytes in 3 blocks are definitely lost in loss record 1 of 2</text><leakedbytes>48</leakedbytes><leakedblocks>3</leakedblocks></xwhat>';
  const text = error('Leak_DefinitelyLost', lost, stack(inLibc, own)) + '<error><kind>InvalidRead</kind>';
  expect(memoryErrors(text, library)).toMatchObject([
    { kind: 'lost', text: '48 bytes in 3 blocks are definitely lost' },
  ]);
});
