import { writeFileSync } from 'node:fs';

const HEADING = `# Hostile matrix

What plugins do to hurt the server, and what comes of it. \`npm run test:hostile\` runs every row against a
real server, with one library per row, and writes this file from what it saw; it checks that the server tells
what happened, answers the next request, also with the same plugin, and leaves no process behind.

- **As root**: the server runs as root, and its plugins as another user. **As a user**: both are the same
  ordinary user.
- \`EPERM: a, b\` means that the plugin lived on, and that its attempts \`a\` and \`b\` failed with EPERM.
- A failure told is in the log, in the plugin's list entry and post-mortem, and in the answer to the client.

| Row | The plugin | As root | As a user | Contained by | Reported |
| --- | --- | --- | --- | --- | --- |
`;

/**
 * Writes the results of two runs of the matrix as a document; the same results make the same document.
 * @throws Error when the runs are not of the same rows
 */
export function writeHostileMatrix(path, rootRows, userRows) {
  const lines = rootRows.map((row, index) => {
    const other = userRows[index];
    if (other?.id !== row.id || other.does !== row.does) throw new Error(`${row.id} ran only once`);
    const asUser = other.outcome === row.outcome ? 'the same' : other.outcome;
    const reported = [...new Set([row.reported, other.reported])].join(' / ');
    return `| ${[row.id, row.does, row.outcome, asUser, row.by, reported].map(cell).join(' | ')} |`;
  });
  const open = rootRows.filter(({ uncaught }) => uncaught !== null);
  const sentences = open.map(({ id, does, uncaught }) => `- **${id}**, a plugin that ${does}: ${uncaught}`);
  const rest = open.length === 0 ? '' : `\n## Not caught\n\n${sentences.join('\n')}\n`;
  writeFileSync(path, `${HEADING}${lines.join('\n')}\n${rest}`);
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
