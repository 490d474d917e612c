import type { CrashFrame } from '../../errors.js';
import { cellText } from './print.js';
import type { Screen } from './screen.js';

/**
 * Prints the functions that were active in a crash, innermost first, one a line. Those of the plugin's own
 * library stand out. Calls of a function by itself are one line.
 */
export function printBacktrace(screen: Screen, frames: readonly CrashFrame[], indent = '    '): void {
  for (let index = 0; index < frames.length;) {
    const frame = frames[index] as CrashFrame;
    const text = frameText(frame);
    let next = index + 1;
    while (next < frames.length && frameText(frames[next] as CrashFrame) === text) next += 1;
    const times = next - index === 1 ? '' : ` (${next - index} times)`;
    screen.line(`${indent}${screen.style(frame.own ? 'bold' : 'dim', cellText(`at ${text}${times}`))}`);
    index = next;
  }
}

function frameText({ at, function: name, file, line }: CrashFrame): string {
  const source = file === null ? at : `${file}:${line}`;
  return name === null ? source : `${name} (${source})`;
}
