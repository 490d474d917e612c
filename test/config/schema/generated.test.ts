/** What is generated from the schema was generated from this schema. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../../../scripts/generate-from-schema.mjs', import.meta.url));

test('the generated files are those of the schema', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--check']).catch(
    (failed: unknown) => failed as { stdout: string },
  );
  expect(stdout).toBe('');
});
