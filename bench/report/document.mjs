import { readFileSync, writeFileSync } from 'node:fs';
import { renderTable } from './table.mjs';
import { renderTargets } from './targets.mjs';

/**
 * Writes a result's table between its markers in a Markdown file. Everything else stays as it is.
 * @throws Error when the markers are not there
 */
export function updateDocument(path, result) {
  replaceBlock(path, result.name, renderTable(result));
}

/** The same for the table of targets, which covers all results. */
export function updateTargets(path, results) {
  replaceBlock(path, 'targets', renderTargets(results));
}

function replaceBlock(path, name, content) {
  const text = readFileSync(path, 'utf8');
  const start = `<!-- figures: ${name} -->`;
  const end = `<!-- end of figures: ${name} -->`;
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${path} has no "${start}" followed by "${end}"`);
  const block = `${start}\n\n${content}\n\n`;
  writeFileSync(path, text.slice(0, from) + block + text.slice(to));
}
