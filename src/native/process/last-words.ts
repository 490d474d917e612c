/** Lines after the first one that may belong to it: a Go trace names the panic's origin after a few frames. */
const FOLLOWING_MAX = 24;
const TEXT_MAX = 400;
/** What follows in a longer line is not looked at: the patterns take more than linear time. */
const LINE_MAX = 1000;

/** How a runtime begins to say why it ends the process. */
interface Opening {
  readonly pattern: RegExp;
  /** The sentence; `following` are the lines after the first. */
  read(match: RegExpExecArray, following: readonly string[]): string;
}

const GO_FRAME = /^\t(.+\.\w+:\d+)(?: \+0x[0-9a-f]+)?$/;
const GO_RUNTIME = /\/src\/(?:runtime|internal\/runtime)\//;
const ZIG_FRAME = /^(.+\.zig:\d+):\d+: 0x[0-9a-f]+ in (\S+)/;
const WHAT = /^ {2}what\(\): {2}(.*)$/;

/** The first frame of a Go trace that is not the runtime's, such as "main.settle at /src/pay.go:12". */
function goFrame(following: readonly string[]): string {
  const at = following.findIndex((line) => GO_FRAME.test(line) && !GO_RUNTIME.test(line));
  const place = GO_FRAME.exec(following[at] ?? '')?.[1];
  if (place === undefined) return '';
  const name = (following[at - 1] ?? '').replace(/\([^()]*\)$/, '');
  return `, ${name} at ${place}`;
}

function zigFrame(following: readonly string[]): string {
  const frame = following.map((line) => ZIG_FRAME.exec(line)).find((match) => match !== null);
  return frame ? `, ${frame[2]} at ${frame[1]}` : '';
}

const OPENINGS: readonly Opening[] = [
  {
    // Rust. From 1.73 on the message is on the next line; from 1.89 on the thread has a number.
    pattern: /^thread '.*' (?:\(\d+\) )?panicked at (.+?):?$/,
    read: ([, at = ''], [message = '']) =>
      at.startsWith("'") ? `panicked at ${at}` : `panicked at ${at}: ${message}`,
  },
  {
    pattern: /^(?:panic|fatal error): (.*)$/,
    read: ([whole], following) => `${whole}${goFrame(following)}`,
  },
  {
    pattern: /^thread \d+ panic: (.*)$/,
    read: ([, message], following) => `panic: ${message}${zigFrame(following)}`,
  },
  {
    pattern: /^terminate called after throwing an instance of '(.*)'$/,
    read: ([, type], [next = '']) => {
      const what = WHAT.exec(next)?.[1];
      return `uncaught exception ${type}${what === undefined ? '' : `: ${what}`}`;
    },
  },
  { pattern: /^terminate called without an active exception$/, read: ([whole]) => whole },
  { pattern: /^libc\+\+abi: (terminating .*)$/, read: ([, message = '']) => message },
  { pattern: /^SUMMARY: (\w+Sanitizer: .*)$/, read: ([, summary = '']) => summary },
  { pattern: /^(.+:\d+:\d+: runtime error: .*)$/, read: ([whole]) => whole },
  {
    // An assertion of C, as "program: file.c:12: function: Assertion `x' failed."
    pattern: /^(?:\S+: )?(\S+:\d+: .*[Aa]ssertion .* failed\.?)$/,
    read: ([, message = '']) => message,
  },
  {
    // glibc's checks of the heap and the stack.
    pattern:
      /^(?:\*\*\* (.+) \*\*\*: terminated|(double free or corruption.*|corrupted .+|(?:free|malloc|realloc|calloc|munmap_chunk|malloc_consolidate|unlink_chunk)(?:\(\))?: .+))$/,
    read: ([, check, heap = '']) => check ?? heap,
  },
];

/** What runtimes say because of an earlier panic. */
const CONSEQUENCE =
  /panicked at (?:library\/core\/src\/panicking\.rs|\/rustc\/[0-9a-f]+\/library\/core\/src\/panicking\.rs)/;

/**
 * Why the runtime of a plugin ended the process, from what it wrote to stderr: a panic, an uncaught exception, a
 * failed assertion, a finding of a sanitizer or of the allocator. Not trustworthy.
 */
export class LastWords {
  private opening: Opening | null = null;
  private lines: string[] = [];

  add(text: string): void {
    const line = text.slice(0, LINE_MAX);
    const opening = CONSEQUENCE.test(line) ? undefined : OPENINGS.find(({ pattern }) => pattern.test(line));
    if (opening !== undefined) {
      this.opening = opening;
      this.lines = [line];
    } else if (this.opening !== null && this.lines.length <= FOLLOWING_MAX) {
      this.lines.push(line);
    }
  }

  /** One sentence; null when no runtime said anything. */
  get sentence(): string | null {
    const [first = '', ...following] = this.lines;
    const match = this.opening?.pattern.exec(first);
    return match ? this.opening!.read(match, following).slice(0, TEXT_MAX) : null;
  }
}

/** The same for lines that were collected. */
export function lastWords(lines: readonly string[]): string | null {
  const words = new LastWords();
  for (const line of lines) words.add(line);
  return words.sentence;
}
