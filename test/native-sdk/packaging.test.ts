/** What build tools and readers are told about the SDKs agrees with the package. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from './language.js';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };

test('pkg-config and CMake state the version of the package', () => {
  expect(read('native-sdk/share/pkgconfig/backworks.pc')).toContain(`\nVersion: ${version}\n`);
  const cmake = read('native-sdk/share/cmake/backworks/backworks-config-version.cmake');
  expect(cmake).toContain(`set(PACKAGE_VERSION ${version})`);
});

test('yyjson is unchanged', () => {
  const folder = 'native-sdk/include/backworks/yyjson';
  const stated = [...read(`${folder}/README.md`).matchAll(/^([0-9a-f]{64}) {2}(\S+)$/gm)];
  expect(stated.map(([, , file]) => file)).toEqual(['LICENSE', 'yyjson.c', 'yyjson.h']);
  for (const [, digest, file = ''] of stated) {
    const bytes = readFileSync(join(root, folder, file));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(digest);
  }
});
