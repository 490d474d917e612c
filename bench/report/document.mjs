import { readFileSync, writeFileSync } from 'node:fs';
import { renderTable } from './table.mjs';

/**
 * Puts a result's table between its markers in a Markdown file; everything else stays as it is.
 * @throws Error when the markers are not there
 */
export function updateDocument(path, result) {
  const text = readFileSync(path, 'utf8');
  const start = `<!-- figures: ${result.name} -->`;
  const end = `<!-- end of figures: ${result.name} -->`;
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${path} has no "${start}" followed by "${end}"`);
  const block = `${start}\n\n${renderTable(result)}\n\n`;
  writeFileSync(path, text.slice(0, from) + block + text.slice(to));
}
