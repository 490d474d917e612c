import { codeBlocksOf, commandsOf } from '../fixtures/markdown.js';

/** One step of a document: a file to write or change, a command to type, or output to expect. */
export type Step =
  | { readonly kind: 'write'; readonly title: string; readonly file: string; readonly text: string }
  | { readonly kind: 'change'; readonly title: string; readonly file: string; readonly patch: string }
  | { readonly kind: 'type'; readonly title: string; readonly command: string; readonly output: string }
  | { readonly kind: 'see'; readonly title: string; readonly output: string };

/**
 * Reads the steps of a document.
 *
 * - A `console` block holds commands, each after "$ " and followed by its output.
 * - A `text` block holds output of the server in its own terminal. A "^C" at the beginning is typed there.
 * - A `diff` block changes a file; any other block is a file. The paragraph above ends with the name: "`greeter.c`:".
 * - `sh` blocks are not steps: they hold commands that set up the checkout.
 */
export function stepsOf(markdown: string): Step[] {
  return codeBlocksOf(markdown).flatMap(({ language, text, above }): Step[] => {
    if (language === 'sh') return [];
    if (language === 'console')
      return commandsOf(text).map((typed) => ({ kind: 'type', title: typed.command, ...typed }));
    if (language === 'text')
      return [{ kind: 'see', title: `the server prints ${text.trim()}`, output: text }];
    const file = /`([^`\n]+)`:$/.exec(above.trimEnd())?.[1];
    if (file === undefined) throw new Error(`no file is named above this block:\n${text}`);
    return language === 'diff'
      ? [{ kind: 'change', title: `change ${file}`, file, patch: `--- ${file}\n+++ ${file}\n${text}` }]
      : [{ kind: 'write', title: `write ${file}`, file, text }];
  });
}

/** A pattern for the output in a document: "…" stands for any text within a line, and on its own line for any lines. */
export function patternOf(output: string): string {
  const escaped = output.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return escaped.replace(/^…\n/gm, '(?:.*\\n)*?').replaceAll('…', '.*');
}
