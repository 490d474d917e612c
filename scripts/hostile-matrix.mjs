import { writeFileSync } from 'node:fs';

const HEADING = `# Hostile matrix

Faults that plugins commit, and what contains each fault. \`npm run test:hostile\` runs every row against a real
server, with one library per row, and writes this file. Each row checks that the server reports the fault, answers
the next requests, including those to the same plugin, and leaves no process behind.

- **As root**: the server runs as root, and its plugins as another user. **As a user**: both run as the
  same ordinary user.
- \`EPERM: a, b\` means that the plugin kept running and that its attempts \`a\` and \`b\` failed with EPERM.
- A reported failure is in the log, in the plugin's list entry and post-mortem, and in the answer to the client.

| Row | The plugin | As root | As a user | Contained by | Reported |
| --- | --- | --- | --- | --- | --- |
`;

/**
 * Writes the results of two runs of the matrix as a document. The same results give the same document.
 * @throws Error when the two runs have different rows
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
