import { basename, join } from 'node:path';
import type { CrashFrame } from '../errors.js';

/** An error that valgrind found in a plugin. */
export interface MemoryError {
  /** "error": invalid or uninitialised memory was used. "lost": memory that nothing points to any more. */
  readonly kind: 'error' | 'lost';
  /** Such as "Invalid write of size 1, 0 bytes after a block of size 8 alloc'd". No addresses. */
  readonly text: string;
  /** The functions that were active, innermost first, from the first to the last function of the plugin. */
  readonly frames: readonly CrashFrame[];
}

/** The library that a process ran. A copy of it is named by its digest. */
export interface CheckedLibrary {
  /** SHA-256 in hexadecimal. */
  readonly digest: string;
  /** The name of its file. */
  readonly name: string;
}

const ERROR = /<error>([\s\S]*?)<\/error>/g;
const STACK = /<stack>([\s\S]*?)<\/stack>/g;
const FRAME = /<frame>([\s\S]*?)<\/frame>/g;
const ADDRESS = /^Address 0x[0-9a-f]+ is /i;
const FRAMES_MAX = 8;

/**
 * Reads what valgrind wrote with --xml=yes. Errors that no function of the plugin has a part in are left out: those are
 * of the runner or of the system.
 * @param text may be incomplete, when the process was killed
 */
export function memoryErrors(text: string, library: CheckedLibrary): MemoryError[] {
  return [...text.matchAll(ERROR)].flatMap(([, error = '']) => readError(error, library) ?? []);
}

function readError(error: string, library: CheckedLibrary): MemoryError | null {
  const stacks = [...error.matchAll(STACK)].map(([, stack = '']) => framesOf(stack, library));
  const own = stacks.find((stack) => stack.some((frame) => frame.own));
  if (own === undefined) return null;
  const first = own.findIndex((frame) => frame.own);
  // Below the last one is the runner.
  const end = own.findLastIndex((frame) => frame.own) + 1;
  const frames = own.slice(first, Math.min(end, first + FRAMES_MAX));
  const isLost = valueOf(error, 'kind')?.startsWith('Leak_') === true;
  return { kind: isLost ? 'lost' : 'error', text: isLost ? lostText(error) : errorText(error), frames };
}

function errorText(error: string): string {
  const what = valueOf(error, 'what') ?? valueOf(error, 'text') ?? 'an error';
  const more = valueOf(error, 'auxwhat') ?? valueOf(valueOf(error, 'xauxwhat') ?? '', 'text');
  if (more === null || /\b0x/.test(more.replace(ADDRESS, ''))) return what;
  const [start = '', ...rest] = more.replace(ADDRESS, '');
  return `${what}, ${start.toLowerCase()}${rest.join('')}`;
}

function lostText(error: string): string {
  const [bytes, blocks] = [valueOf(error, 'leakedbytes'), valueOf(error, 'leakedblocks')];
  return `${bytes ?? '?'} bytes in ${blocks ?? '?'} blocks are definitely lost`;
}

function framesOf(stack: string, { digest, name }: CheckedLibrary): CrashFrame[] {
  return [...stack.matchAll(FRAME)].map(([, frame = '']) => {
    const module = basename(valueOf(frame, 'obj') ?? '');
    const own = module === name || module.startsWith(digest);
    const file = valueOf(frame, 'file');
    const line = valueOf(frame, 'line');
    return {
      at: own ? name : module,
      own,
      function: valueOf(frame, 'fn'),
      file: file === null ? null : join(valueOf(frame, 'dir') ?? '', file),
      line: line === null ? null : Number(line),
    };
  });
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** The text of the first element with this name. */
function valueOf(xml: string, name: string): string | null {
  const found = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(xml)?.[1];
  if (found === undefined) return null;
  return found.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => ENTITIES[entity] ?? '');
}
