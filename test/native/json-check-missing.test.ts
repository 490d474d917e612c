import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { createTestServer } from '../fixtures/server.js';
import { temporaryDirectory, write } from './library/facts/library-files.js';

const directory = temporaryDirectory();

afterEach(() => {
  delete process.env['BACKWORKS_JSON_CHECK'];
});

/** How a server starts with the library at this path. */
async function start(path: string): Promise<unknown> {
  process.env['BACKWORKS_JSON_CHECK'] = path;
  return createTestServer('endpoints: {}').backworks.start();
}

test('without the library that checks JSON a server does not start, and says what to do', async () => {
  await expect(start('/no/such/library')).rejects.toMatchObject({
    code: 'BW_RUNNER_NOT_FOUND',
    message:
      'the library that checks JSON is missing; looked at /no/such/library (from BACKWORKS_JSON_CHECK)',
    hint: 'correct or unset BACKWORKS_JSON_CHECK',
  });
});

test('a file that is no such library is named', async () => {
  const path = join(directory, 'text');
  write(path, 'no library');
  await expect(start(path)).rejects.toThrow(`${path} cannot be loaded: `);
});
