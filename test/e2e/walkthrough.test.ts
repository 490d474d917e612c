/** Follows, in real terminals, the documents that lead from an empty file to a running plugin. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { sectionOf } from '../fixtures/markdown.js';
import { Reader } from '../fixtures/walkthrough/reader.js';
import { stepsOf } from '../fixtures/walkthrough/steps.js';

ownCache();
const root = fileURLToPath(new URL('../..', import.meta.url));

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

describe.each([
  { document: 'README.md', steps: stepsOf(sectionOf(read('README.md'), 'A plugin of your own')) },
  { document: 'docs/getting-started.md', steps: stepsOf(read('docs/getting-started.md')) },
])('$document, followed word for word', ({ steps }) => {
  const reader = new Reader();
  beforeAll(() => reader.sitDown());
  afterAll(() => reader.leave());

  test.each(steps)('$title', (step) => reader.take(step));

  test('leads from a compiler command to an answer of the plugin', () => {
    const typed = steps.flatMap((step) => (step.kind === 'type' ? [step.command] : []));
    const places = [/^cc .*-shared/, /^npx backworks start$/, /^curl /].map((command) =>
      typed.findIndex((line) => command.test(line)),
    );
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((one, other) => one - other));
  });
});
