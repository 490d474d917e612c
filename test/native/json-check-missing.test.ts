import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { createTestServer } from '../fixtures/server.js';
import { temporaryDirectory, write } from './library/facts/library-files.js';

const directory = temporaryDirectory();

afterEach(() => {
  delete process.env['BACKWORKS_JSON_CHECK'];
});

/** Starts a server with the library at this path, and returns the outcome. */
async function start(path: string): Promise<unknown> {
  process.env['BACKWORKS_JSON_CHECK'] = path;
  return createTestServer('endpoints: {}').backworks.start();
}

test('a server without the JSON check library does not start, and says what to do', async () => {
  await expect(start('/no/such/library')).rejects.toMatchObject({
    code: 'BW_RUNNER_NOT_FOUND',
    message:
      'the library that checks JSON is missing; looked at /no/such/library (from BACKWORKS_JSON_CHECK)',
    hint: 'correct or unset BACKWORKS_JSON_CHECK',
  });
});

test('the error names a file that is not the JSON check library', async () => {
  const path = join(directory, 'text');
  write(path, 'no library');
  await expect(start(path)).rejects.toThrow(`${path} cannot be loaded: `);
});
