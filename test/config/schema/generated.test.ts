/** The generated files are up to date with the schema. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../../../scripts/generate-from-schema.mjs', import.meta.url));

test('the generated files match the schema', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--check']).catch(
    (failed: unknown) => failed as { stdout: string },
  );
  expect(stdout).toBe('');
});
