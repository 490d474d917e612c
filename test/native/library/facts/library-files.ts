import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from '@jest/globals';

const include = fileURLToPath(new URL('../../../../native-sdk/include', import.meta.url));

/** A directory for one test file, removed after its tests. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'backworks-test-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The smallest plugin; other sources are added before or after it. */
export const MINIMAL_PLUGIN = `
#include "backworks_plugin.h"
PluginInfo plugin_info(void) { return (PluginInfo){"minimal", "1.0.0", "Does nothing."}; }
PluginVTable plugin_vtable(void) { return (PluginVTable){0}; }
`;

/** Compiles C text to `output`; by default to a shared library. */
export function compile(
  output: string,
  source: string,
  flags: readonly string[] = ['-shared', '-fPIC'],
): string {
  const args = ['-x', 'c', '-', '-o', output, `-I${include}`, ...flags];
  execFileSync('cc', args, { input: source, stdio: ['pipe', 'pipe', 'pipe'] });
  return output;
}

/** @returns its path */
export function write(path: string, content: string | Uint8Array, mode = 0o644): string {
  writeFileSync(path, content, { mode });
  return path;
}
