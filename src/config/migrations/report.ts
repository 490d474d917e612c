import type { ProblemReport } from '../source/problems.js';
import type { Source } from '../source/source.js';
import { CURRENT_VERSION, versionOf } from './version.js';

/**
 * Reports a file of another version.
 * @throws ConfigError in that case: everything else that could be said of it would be a consequence
 */
export function reportOtherVersion(file: Source, name: string, report: ProblemReport): void {
  const found = versionOf(file.value);
  // What is no version is a mistake like any other, for the schema to find.
  if (found === null || found.version === CURRENT_VERSION) return;
  const { version, pointer } = found;
  const isOlder = version < CURRENT_VERSION;
  report.add('BW_CONFIG_INVALID', pointer, file.keyPosition(pointer), {
    message: `the file is of version ${version}, and this program reads version ${CURRENT_VERSION}`,
    hint: isOlder ? `run: backworks config migrate ${name}` : 'use a newer Backworks',
  });
  report.fail();
}
