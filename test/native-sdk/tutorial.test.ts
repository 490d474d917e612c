/** Follows docs/tutorial.md word for word, in real terminals. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { Reader } from '../fixtures/walkthrough/reader.js';
import { stepsOf } from '../fixtures/walkthrough/steps.js';
import { root } from './language.js';

ownCache();
const STEP_MS = 120_000;
const steps = stepsOf(readFileSync(join(root, 'docs/tutorial.md'), 'utf8'));
const reader = new Reader();
beforeAll(() => reader.sitDown());
afterAll(() => reader.leave());

test.each(steps)('$title', (step) => reader.take(step), STEP_MS);

test('leads from a new project to an installed plugin', () => {
  const typed = steps.flatMap((step) => (step.kind === 'type' ? [step.command] : []));
  const stages = ['new', 'call', 'validate', 'dev', 'build', 'install'].map((command) =>
    typed.findIndex((line) => line.startsWith(`npx backworks plugin ${command}`)),
  );
  expect(stages).not.toContain(-1);
  expect(stages).toEqual([...stages].sort((one, other) => one - other));
});
