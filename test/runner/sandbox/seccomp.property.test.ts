import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findFaults } from './classic-bpf.js';
import {
  ALLOW,
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
  machines,
  REPORT,
} from './seccomp-filter.js';

describe('every program', () => {
  const policies = fc.subarray(['read=/r', 'write=/w', 'connect=443', 'listen=9000', 'udp=1']);
  const machine = fc.constantFrom(...machines);
  /** Numbers near those the rules compare with, and any others. */
  const word = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.bigInt({ min: 0n, max: 4096n }));
  const ACTIONS = [ALLOW, KILL, REPORT, FATAL, EPERM, ENOMEM, ENOTTY, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT];

  test('is valid: jumps stay inside, and it has at most 4096 instructions', () => {
    fc.assert(
      fc.property(machine, policies, (name, settings) => {
        expect(findFaults(filter(name, settings))).toEqual([]);
      }),
      { numRuns: 64 },
    );
  });

  test('ends in an action for any call', () => {
    const number = fc.oneof(fc.integer({ min: 0, max: 520 }), fc.integer({ min: 0, max: 0xffff_ffff }));
    fc.assert(
      fc.property(
        machine,
        policies,
        number,
        fc.array(word, { maxLength: 6 }),
        (name, settings, call, args) => {
          expect(ACTIONS).toContain(judge(name, settings, call, args));
        },
      ),
      { numRuns: 5000 },
    );
  });

  test('allows no additional calls with fewer permissions', () => {
    const all = ['read=/r', 'write=/w', 'connect=443', 'listen=9000', 'udp=1'];
    fc.assert(
      fc.property(
        machine,
        policies,
        fc.integer({ min: 0, max: 480 }),
        fc.array(word, { maxLength: 6 }),
        (name, settings, call, args) => {
          if (judge(name, settings, call, args) === ALLOW) expect(judge(name, all, call, args)).toBe(ALLOW);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
