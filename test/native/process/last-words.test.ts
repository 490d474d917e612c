import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lastWords } from '../../../dist/native/process/last-words.js';
import { StderrExcerpt } from '../../../dist/native/process/stderr-excerpt.js';

const GO = `panic: runtime error: index out of range [3] with length 2

goroutine 17 [running, locked to thread]:
panic({0x7f2a, 0xc00001})
	/usr/local/go/src/runtime/panic.go:787 +0x132
main.settle(...)
	/home/ada/pay/pay.go:41
main.answer(0x7f)
	/home/ada/pay/pay.go:20 +0x1d`;

test.each([
  [
    "thread '<unnamed>' panicked at src/lib.rs:12:5:\nno such city\nnote: run with",
    'panicked at src/lib.rs:12:5: no such city',
  ],
  [
    "thread 'main' (4242) panicked at src/lib.rs:12:5:\nno such city",
    'panicked at src/lib.rs:12:5: no such city',
  ],
  [
    "thread 'main' panicked at 'no such city', src/lib.rs:12:5",
    "panicked at 'no such city', src/lib.rs:12:5",
  ],
  [
    "thread 'a' panicked at src/lib.rs:1:2:\nfirst\nthread 'a' panicked at library/core/src/panicking.rs:230:5:\npanic in a function that cannot unwind",
    'panicked at src/lib.rs:1:2: first',
  ],
  [GO, 'panic: runtime error: index out of range [3] with length 2, main.settle at /home/ada/pay/pay.go:41'],
  [
    'fatal error: all goroutines are asleep - deadlock!',
    'fatal error: all goroutines are asleep - deadlock!',
  ],
  [
    'thread 7 panic: index out of bounds\n/home/ada/pay.zig:12:5: 0x7f01 in settle (pay)',
    'panic: index out of bounds, settle at /home/ada/pay.zig:12',
  ],
  [
    "terminate called after throwing an instance of 'std::runtime_error'\n  what():  no such account",
    'uncaught exception std::runtime_error: no such account',
  ],
  ["terminate called after throwing an instance of 'int'", 'uncaught exception int'],
  ['terminate called without an active exception', 'terminate called without an active exception'],
  [
    'libc++abi: terminating due to uncaught exception of type int',
    'terminating due to uncaught exception of type int',
  ],
  [
    '==1==ERROR: AddressSanitizer\nSUMMARY: AddressSanitizer: heap-use-after-free pay.c:3 in settle',
    'AddressSanitizer: heap-use-after-free pay.c:3 in settle',
  ],
  [
    'pay.c:3:14: runtime error: signed integer overflow',
    'pay.c:3:14: runtime error: signed integer overflow',
  ],
  [
    "backworks-runner: pay.c:3: settle: Assertion `x > 0' failed.",
    "pay.c:3: settle: Assertion `x > 0' failed.",
  ],
  ['free(): double free detected in tcache 2', 'free(): double free detected in tcache 2'],
  ['double free or corruption (fasttop)', 'double free or corruption (fasttop)'],
  ['corrupted size vs. prev_size', 'corrupted size vs. prev_size'],
  ['*** stack smashing detected ***: terminated', 'stack smashing detected'],
  ['about to stumble\nfree memory: 12 MB', null],
])('finds why a runtime ended the process: %j', (text, words) => {
  expect(lastWords(['a line before', ...text.split('\n')])).toBe(words);
});

test('takes the last reason of several', () => {
  expect(lastWords(['panic: first', 'a line', 'double free or corruption (out)'])).toBe(
    'double free or corruption (out)',
  );
});

test('keeps a reason that is not among the lines of the excerpt', () => {
  const excerpt = new StderrExcerpt();
  for (let line = 0; line < 15; line += 1) excerpt.add(`before ${line}`);
  excerpt.add("thread 'a' panicked at src/lib.rs:1:2:");
  excerpt.add('no such city');
  for (let line = 0; line < 60; line += 1) excerpt.add(`   ${line}: some_function`);
  expect(excerpt.lines().join()).not.toContain('no such city');
  expect(excerpt.said).toBe('panicked at src/lib.rs:1:2: no such city');
});

test('any text gives one short line or nothing, in short time', () => {
  const opening = fc.constantFrom(
    'panic: ',
    'free(): ',
    "thread '' panicked at ",
    'a.c:1: Assertion ',
    '\t/x.go:1',
  );
  const line = fc.tuple(opening, fc.string({ maxLength: 9000 })).map(([before, after]) => before + after);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      const words = lastWords(lines);
      if (words !== null) expect(words.length).toBeLessThanOrEqual(400);
    }),
  );
});
