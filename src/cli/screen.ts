import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** One output stream of the command: what it can show and how wide it is. */
export interface Screen {
  /** A person is looking. */
  readonly terminal: boolean;
  /** Columns; Infinity where lines are not wrapped. */
  readonly width: number;
  /** The text in a style, or as it is where styles are off. */
  style(style: Style, text: string): string;
  write(text: string): void;
  line(text?: string): void;
}

type Stream = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;

export function createScreen(stream: Stream, env: NodeJS.ProcessEnv): Screen {
  const terminal = stream.isTTY === true;
  const colours = showsColours(terminal, env);
  return {
    terminal,
    width: terminal && stream.columns > 0 ? stream.columns : Infinity,
    // The decision is made above, the same on every supported Node.
    style: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
    write: (text) => void stream.write(text),
    line: (text = '') => void stream.write(`${text}\n`),
  };
}

/** FORCE_COLOR wins over NO_COLOR, as in Node; without either, terminals that are not dumb get colours. */
function showsColours(terminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env['FORCE_COLOR'] !== undefined) return !['0', 'false'].includes(env['FORCE_COLOR']);
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return terminal && env['TERM'] !== 'dumb';
}
