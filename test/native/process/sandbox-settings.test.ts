import { expect, test } from '@jest/globals';
import { filter } from '../../runner/sandbox/seccomp-filter.js';

test.each([
  ['speed=1', 'speed=1: unknown setting'],
  ['memory', 'memory: unknown setting'],
  ['memory=1e6', 'memory=1e6: not a decimal number'],
  ['memory=99999999999999999999', 'memory=99999999999999999999: too large'],
  ['memory=0', 'a limit of 0 needs mode=off'],
  ['read=data', 'read=data: not an absolute path'],
  ['read=/data/../etc', 'read=/data/../etc: a path must not contain `..`'],
  ['write=/..', 'write=/..: a path must not contain `..`'],
  ['connect=65536', 'connect=65536: too large'],
  ['connect=0', 'connect=0: a port is at least 1'],
  ['connect=api.example.com:443', 'connect=api.example.com:443: not a decimal number'],
  ['udp=yes', 'udp=yes: not 0 or 1'],
  ['mode=lenient', 'mode=lenient: not one of strict, best-effort, off'],
  ['library=/again', 'library=/again: given twice'],
])('refuses the setting %s', (setting, reason) => {
  expect(() => filter('x86_64', [setting])).toThrow(reason);
});
