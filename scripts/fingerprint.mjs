import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from './run.mjs';

/** All files at or below the given paths, relative to the root, sorted. A missing path has none. */
function filesUnder(paths) {
  const files = [];
  const visit = (path) => {
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts === undefined) return;
    if (facts.isFile()) files.push(relative(root, path));
    // target/ contains cargo's output, not its input.
    else for (const name of readdirSync(path)) if (name !== 'target') visit(join(path, name));
  };
  for (const path of paths) visit(join(root, path));
  return files.sort();
}

/** A digest of the contents of files and folders, and of everything else that the result depends on. */
export function fingerprint(paths, ...circumstances) {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([process.platform, process.arch, ...circumstances]));
  for (const file of filesUnder(paths)) {
    const content = readFileSync(join(root, file));
    hash.update(`\n${file} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** The fingerprint that a step stored when it last succeeded, or ''. */
export function readStamp(name) {
  try {
    return readFileSync(stampPath(name), 'utf8');
  } catch {
    return '';
  }
}

export function writeStamp(name, digest) {
  mkdirSync(dirname(stampPath(name)), { recursive: true });
  writeFileSync(stampPath(name), digest);
}

function stampPath(name) {
  return join(root, 'build', 'stamps', name);
}
