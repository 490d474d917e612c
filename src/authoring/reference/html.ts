import { oneLine, printable } from '../../printable.js';
import type { Block, Inline } from './blocks.js';

/** Everything is in the page: it loads nothing, and the policy forbids scripts. */
const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #8886; padding: .3rem .6rem; text-align: left; vertical-align: top; }
code, pre { font: 14px/1.45 ui-monospace, monospace; background: #8881; border-radius: 4px; }
code { padding: .1rem .25rem; }
pre { padding: .75rem; overflow-x: auto; }
pre code { padding: 0; background: none; }
`;
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Writes a page as one self-contained HTML file. */
export function htmlPage(title: string, blocks: readonly Block[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${escaped(POLICY)}">
<title>${plain(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${blocks.map(block).join('\n')}
</body>
</html>
`;
}

function block(given: Block): string {
  switch (given.kind) {
    case 'heading':
      return `<h${given.level}>${plain(given.text)}</h${given.level}>`;
    case 'paragraph':
      return `<p>${line(given.text)}</p>`;
    case 'list':
      return `<ul>\n${given.items.map((item) => `<li>${line(item)}</li>`).join('\n')}\n</ul>`;
    case 'table':
      return `<table>\n${[row('th', given.head.map(plain)), ...given.rows.map((cells) => row('td', cells.map(line)))].join('\n')}\n</table>`;
    case 'code':
      return `<pre><code>${escaped(printable(given.text.trimEnd()))}</code></pre>`;
  }
}

function row(tag: 'th' | 'td', cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
}

function line(parts: readonly Inline[]): string {
  return parts
    .map((part) => (typeof part === 'string' ? plain(part) : `<code>${plain(part.code)}</code>`))
    .join('');
}

const plain = (text: string): string => escaped(oneLine(text.replace(/\s+/g, ' ')));

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
