import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import {
  FRAME_BUDGETS,
  FrameCounts,
  type FrameAllowance,
  runnerPayloads,
  SERVICE_PAYLOADS,
} from '../../../dist/native/protocol/frame-budgets.js';
import { RunnerFrame, ServiceFrame } from '../../../dist/native/protocol/protocol.js';

const types = Object.entries(RunnerFrame).map(([name, type]) => [name, type] as const);

/** The number of frames of a type that are accepted at once. */
function framesLetThrough(type: number, tried: number): number {
  const counts = new FrameCounts();
  for (let frames = 0; frames < tried; frames += 1) {
    try {
      counts.add(type);
    } catch {
      return frames;
    }
  }
  return tried;
}

test('every frame a runner sends has a budget', () => {
  expect(Object.keys(FRAME_BUDGETS).map(Number).sort()).toEqual(types.map(([, type]) => type).sort());
});

test.each(types)('%s frames beyond the budget break the protocol', (name, type) => {
  const { allowance } = FRAME_BUDGETS[type]!;
  // Frames that answer calls are matched to the calls instead.
  if (allowance.per === 'call') expect(framesLetThrough(type, 1000)).toBe(1000);
  else if (allowance.per === 'process') {
    expect(framesLetThrough(type, allowance.frames + 1)).toBe(allowance.frames);
  } else {
    // A new second may begin during the loop.
    expect(framesLetThrough(type, 10 * allowance.frames)).toBeGreaterThanOrEqual(allowance.frames);
    expect(framesLetThrough(type, 10 * allowance.frames)).toBeLessThan(10 * allowance.frames);
  }
  expect(name).not.toBe('');
});

test('a reply may be as long as limits.reply allows, and another frame as long as the table says', () => {
  const payloads = runnerPayloads(1000);
  expect(payloads[RunnerFrame.REPLY]).toBe(1000);
  for (const [, type] of types)
    if (type !== RunnerFrame.REPLY) expect(payloads[type]).toBe(FRAME_BUDGETS[type]!.payloadBytes);
});

test('docs/frame-budgets.md has the same table', () => {
  const page = readFileSync(new URL('../../../docs/frame-budgets.md', import.meta.url), 'utf8');
  for (const [name, type] of Object.entries(ServiceFrame)) {
    const payloadBytes = SERVICE_PAYLOADS[type];
    if (payloadBytes !== undefined)
      expect(page).toContain(`| ${name} | ${payloadBytes.toLocaleString('en')} |`);
    else expect(name).toMatch(/ANSWER/);
  }
  const amount = (allowance: FrameAllowance): string =>
    allowance.per === 'call'
      ? 'one for each call'
      : `${allowance.frames.toLocaleString('en')} a ${allowance.per}`;
  for (const [name, type] of types) {
    const { payloadBytes, allowance } = FRAME_BUDGETS[type]!;
    expect(page).toContain(`| ${name} | ${payloadBytes.toLocaleString('en')} | ${amount(allowance)}`);
  }
});
