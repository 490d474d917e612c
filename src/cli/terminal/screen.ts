import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** An output stream of a command, with its capabilities and width. */
export interface Screen {
  /** The stream is a terminal. */
  readonly terminal: boolean;
  /** Number of columns; Infinity when lines are not wrapped. */
  readonly width: number;
  /** Applies a style, unless styles are off. */
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
    // showsColours() has decided, so that every supported Node version behaves the same.
    style: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
    write: (text) => void stream.write(text),
    line: (text = '') => void stream.write(`${text}\n`),
  };
}

/** FORCE_COLOR wins over NO_COLOR, as in Node. Without either, terminals other than "dumb" get colours. */
function showsColours(terminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env['FORCE_COLOR'] !== undefined) return !['0', 'false'].includes(env['FORCE_COLOR']);
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return terminal && env['TERM'] !== 'dumb';
}
