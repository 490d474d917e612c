import { readFile } from 'node:fs/promises';
import { ServerFrame } from '../native/protocol/protocol.js';

/** One system call of a plugin, as strace prints it. */
export interface SystemCall {
  readonly name: string;
  /** The arguments as they are printed, separated by commas. */
  readonly args: string;
  /** The number it returned; null when it did not return, or returned an address. */
  readonly result: number | null;
  /** Such as "EACCES"; null when it succeeded or did not return. */
  readonly error: string | null;
}

/**
 * The arguments of strace that write one file for each thread. `-D` keeps the traced process a child of the server, `-y`
 * prints the path of each descriptor.
 * @param prefix of the files: a dot and the number of the thread follow
 */
export function traceCommand(strace: string, prefix: string): string[] {
  return [strace, '-D', '-ff', '-qq', '-y', '-ttt', '-s', '4096', '-e', 'signal=none', '-o', prefix];
}

interface TracedCall extends SystemCall {
  /** When it began, in seconds. */
  readonly atS: number;
}

/** The last ") = " ends the arguments: a path may have one too. */
const RETURNED =
  /^(\d+\.\d+) (\w+)\((.*)\)\s+= (0x[0-9a-f]+|-?\d+|\?)(?: (E[A-Z0-9]+) \([^()]*\))?(?:<.*>| \(.*\))?$/;
const UNFINISHED = /^(\d+\.\d+) (\w+)\((.*)$/;
const STARTS_ONE: ReadonlySet<string> = new Set(['clone', 'clone3', 'fork', 'vfork']);
/** Descriptor 3 of a runner brings the frames of the server. */
const READ_FRAMES = /^3<[^>]*>, "/;
const TYPE_OFFSET = 8;
const PROCESSES_MAX = 4096;

/**
 * Reads what the threads and descendants of a process did after its plugin had been loaded.
 * @param prefix as given to traceCommand()
 * @param pid the runner
 * @returns null when the trace does not show that the plugin was initialized
 */
export async function readTrace(prefix: string, pid: number): Promise<SystemCall[] | null> {
  const found: TracedCall[][] = [];
  const waiting = [pid];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const calls = await readThread(`${prefix}.${next}`);
    found.push(calls);
    for (const { name, result } of calls) {
      if (STARTS_ONE.has(name) && result !== null && result > 0) waiting.push(result);
    }
    if (found.length > PROCESSES_MAX) break;
  }
  const begin = found[0]?.find(bringsInitialize)?.atS;
  return begin === undefined ? null : found.flat().filter(({ atS }) => atS > begin);
}

async function readThread(file: string): Promise<TracedCall[]> {
  // A thread that the kernel started and that made no call has no file.
  const text = await readFile(file, 'latin1').catch(() => '');
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

/** @internal exported for its test */
export function parseLine(line: string): TracedCall | null {
  const match = RETURNED.exec(line) ?? UNFINISHED.exec(line);
  if (match === null) return null;
  const [, atS = '0', name = '', args = '', result, error = null] = match;
  const number = result === undefined || !/^-?\d+$/.test(result) ? null : Number(result);
  return { atS: Number(atS), name, args, result: number, error };
}

function bringsInitialize({ name, args }: SystemCall): boolean {
  if (name !== 'read' || !READ_FRAMES.test(args)) return false;
  return (textsOf(args)[0] ?? '').charCodeAt(TYPE_OFFSET) === ServerFrame.INITIALIZE;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  v: '\v',
  f: '\f',
};

/** The texts among the arguments of a call, one character for each byte. */
export function textsOf(args: string): string[] {
  return [...args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replace(/\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))/g, (_, hex?: string, octal?: string, other = '') => {
      if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
      return ESCAPES[other as string] ?? (other as string);
    }),
  );
}
