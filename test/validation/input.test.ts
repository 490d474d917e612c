/** Every input of `plugin validate` is one that a server can send. */
import { expect, test } from '@jest/globals';
import { hookTarget } from '../../dist/validation/hook-target.js';
import { Random } from '../../dist/validation/random.js';
import { INPUT_KINDS } from '../../dist/validation/target.js';
import { requestFaults, responseFaults } from '../pipeline/documents/document-schemas.js';

const HOOKS = ['before_request', 'process_endpoint', 'after_response'] as const;
const DRAWN = 500;

test.each(HOOKS)('the documents of %s match their published schema', (hook) => {
  const target = hookTarget(hook, [], ['city', 'units']);
  const random = new Random(1, hook);
  const drawn = Array.from({ length: DRAWN }, () => target.random(random) ?? []).flat();
  expect(drawn.length).toBeGreaterThan(DRAWN / 2);
  const inputs = [...target.ordinary, ...INPUT_KINDS.flatMap((kind) => target.inputs(kind)), ...drawn];
  const faultsOf = hook === 'after_response' ? responseFaults : requestFaults;
  for (const input of inputs) expect(faultsOf(input.describe(true).document)).toEqual([]);
});

test('the same seed draws the same inputs, and another seed draws others', () => {
  const draw = (seed: number): string[] => {
    const target = hookTarget('process_endpoint', [], ['city']);
    const random = new Random(seed, target.name);
    return Array.from({ length: 50 }, () => target.random(random)?.describe(true).document ?? '');
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});
