import { oneLine, printable } from '../../printable.js';
import { type Screen, type Style } from './screen.js';

const LEVELS: Readonly<Record<string, Style>> = {
  trace: 'dim',
  debug: 'cyan',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: ['red', 'bold'],
};

/** Indentation of continuation lines. */
const INDENT = '    ';

/** A log record as JSON: level, time (ISO 8601), msg, and fields. */
export type LogRecord = Record<string, unknown>;

/** Formats a record for people: local time, level, message, fields, and below them the stack of an error. */
export function readableLine(record: LogRecord, screen: Pick<Screen, 'style'>): string {
  const { level, time, msg, err, ...fields } = record;
  const name = String(level);
  const head = [
    screen.style('dim', clock(String(time))),
    screen.style(LEVELS[name] ?? 'bold', name.padEnd(5)),
    printable(typeof msg === 'string' ? msg : '').replaceAll('\n', `\n${INDENT}`),
    ...Object.entries(fields).map(([key, value]) => screen.style('dim', `${oneLine(key)}=${show(value)}`)),
  ];
  return `${head.join(' ')}\n${trace(err)}`;
}

function clock(time: string): string {
  const date = new Date(time);
  const digits = (value: number, length = 2): string => String(value).padStart(length, '0');
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${digits(hours)}:${digits(minutes)}:${digits(seconds)}.${digits(date.getMilliseconds(), 3)}`;
}

function show(value: unknown): string {
  const plain = typeof value === 'string' && value !== '' && !/[\s="]/.test(value);
  return oneLine(plain ? value : (JSON.stringify(value) ?? 'undefined'));
}

function trace(err: unknown): string {
  if (typeof err !== 'object' || err === null) return '';
  const { stack, message } = err as { stack?: unknown; message?: unknown };
  const text = [stack, message].find((candidate) => typeof candidate === 'string') ?? '';
  return `${printable(text).replace(/^/gm, INDENT)}\n`;
}
